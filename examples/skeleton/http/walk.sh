#!/usr/bin/env bash
# The same over HTTP with curl, against an engine that runs: monitor a metric, send values, read the scores.
set -euo pipefail
url=${1:-http://127.0.0.1:8080}
metric=/skeleton.curl

# 201 when it is new; a second time the engine says that it is monitored already.
curl --silent --show-error --request PUT --data '{"min": 0, "max": 100}' "$url$metric"
echo

now=$(date +%s)
for i in 1 2 3 4 5; do
  curl --silent --show-error --fail --data "$((RANDOM % 100)) $((now - 5 + i))" "$url$metric"
done

# Lines of "name value time score"; the score is None until the model has seen the row.
for _ in $(seq 50); do
  rows=$(curl --silent --show-error --fail "$url$metric")
  case $rows in *None*) sleep 0.1 ;; *) break ;; esac
done
echo "$rows"
