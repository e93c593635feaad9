# The engine in a container. Not built by our tests, which have no container engine and only read it. From a checkout:
#   docker build --tag htmengine .
#   docker run --read-only --tmpfs /tmp --volume htmengine:/data --publish 127.0.0.1:8080:8080 --publish 127.0.0.1:2003:2003 \
#     --env HTMENGINE_API_TOKENS="write me $(openssl rand -hex 24)" htmengine
ARG IMAGE=node:24-trixie-slim

FROM ${IMAGE} AS build
WORKDIR /source
COPY package.json package-lock.json ./
# No package needs its install script here: better-sqlite3 brings its binaries, and Node is the image's.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node scripts/build.ts && npm prune --omit=dev --ignore-scripts --no-audit --no-fund && mkdir /data

FROM ${IMAGE}
ENV NODE_ENV=production \
    # Inside the container; what is published decides who gets there. HTTP then asks for tokens (api.tokens), Graphite for none.
    HTMENGINE_API_HOST=0.0.0.0 \
    HTMENGINE_HEALTH_HOST=0.0.0.0 \
    # One process a container, so the commands of one role need no port each.
    HTMENGINE_HEALTH_PORT=8081 \
    HTMENGINE_LISTENER_GRAPHITE_HOST=0.0.0.0 \
    HTMENGINE_DATA_DIRECTORY=/data \
    # Memory of models that leave is given back at once (docs/decisions/0015-memory.md).
    MALLOC_MMAP_THRESHOLD_=131072
WORKDIR /app
COPY --from=build /source/package.json /source/LICENSE /source/CHANGELOG.md ./
COPY --from=build /source/node_modules ./node_modules
COPY --from=build /source/dist ./dist
# A volume that is new takes its owner from here. Nothing else is written, so the root may be read-only.
COPY --from=build --chown=1000:1000 /data /data
VOLUME /data
# A number, so that Kubernetes can tell that it is not root: the image's user "node".
USER 1000:1000
EXPOSE 2003/tcp 2003/udp 8080/tcp 8081/tcp
# 8081 answers where a process has only roles that serve no HTTP otherwise.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["node", "-e", "const ask = (port) => fetch('http://127.0.0.1:' + port + '/healthz').then(({ ok }) => { if (!ok) throw new Error('not well'); }); ask(8080).catch(() => ask(8081)).catch(() => process.exit(1));"]
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["up"]
