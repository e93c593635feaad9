/** What a shell needs to ask `htmengine __complete` for candidates. Everything that is known about commands stays there. */
export const COMPLETION_SCRIPTS = {
  bash: `# bash completion of htmengine. Once: source <(htmengine completion bash)
# For good: htmengine completion bash > ~/.local/share/bash-completion/completions/htmengine
_htmengine() {
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}") current="\${COMP_WORDS[COMP_CWORD]}" answer line word
  # bash takes names apart at : and =; put the last one together again.
  if declare -F _get_comp_words_by_ref >/dev/null; then
    local cur cwords cword
    _get_comp_words_by_ref -n ':=' -c cur -w cwords -i cword
    words=("\${cwords[@]:1:cword}") current="$cur"
  fi
  COMPREPLY=()
  mapfile -t answer < <("\${COMP_WORDS[0]}" __complete -- "\${words[@]}" 2>/dev/null)
  if [[ "\${answer[0]}" == files ]]; then
    compopt -o default 2>/dev/null
    return
  fi
  for line in "\${answer[@]:1}"; do
    word="\${line%%$'\\t'*}"
    [[ "$word" == "$current"* ]] && COMPREPLY+=("$(printf '%q' "$word")")
  done
  if declare -F __ltrim_colon_completions >/dev/null; then __ltrim_colon_completions "$current"; fi
}
complete -F _htmengine htmengine
`,
  zsh: `#compdef htmengine
# zsh completion of htmengine. Once: source <(htmengine completion zsh)
# For good: htmengine completion zsh > a directory in your $fpath, as _htmengine
_htmengine() {
  local -a answer found
  local line
  answer=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ "\${answer[1]}" == files ]]; then
    _files
    return
  fi
  for line in "\${(@)answer[2,-1]}"; do
    [[ -n "$line" ]] && found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe 'htmengine' found
}
if [[ "\${zsh_eval_context[-1]}" == loadautofunc ]]; then _htmengine "$@"; else compdef _htmengine htmengine; fi
`,
  fish: `# fish completion of htmengine. Once: htmengine completion fish | source
# For good: htmengine completion fish > ~/.config/fish/completions/htmengine.fish
function __htmengine_complete
    set -l typed (commandline -opc) (commandline -ct)
    set -l answer ($typed[1] __complete -- $typed[2..-1] 2>/dev/null)
    if test "$answer[1]" = files
        __fish_complete_path (commandline -ct)
    else
        printf '%s\\n' $answer[2..-1]
    end
end
complete -c htmengine -f -a '(__htmengine_complete)'
`,
} as const;

export type Shell = keyof typeof COMPLETION_SCRIPTS;
