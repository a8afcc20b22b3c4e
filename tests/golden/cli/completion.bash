# bash completion for frontier; load it with: source <(frontier completion bash)
_frontier() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local command='' words='' word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $command:$word in
      :submit|:status|:watch|:trials|:show|:front|:weights|:export|:arch|:workers|:drain|:admit|:extend|:update|:replay|:pause|:resume|:cancel|:delete|:completion|:version)
        command=$word ;;
      arch:show|arch:diff)
        command=$command/$word ;;
    esac
  done
  case $command:$previous in
    *:--coordinator)
      COMPREPLY=()
      return ;;
    *:--timeout)
      COMPREPLY=()
      return ;;
    *:--color)
      COMPREPLY=($(compgen -W 'auto always never' -- "$current"))
      return ;;
    submit:--name)
      COMPREPLY=()
      return ;;
    submit:--trials)
      COMPREPLY=()
      return ;;
    submit:--wall_time)
      COMPREPLY=()
      return ;;
    submit:--strategy)
      COMPREPLY=($(compgen -W 'grid random evolution local_search nsga2 nsga3 reinforce tpe bayesian auto' -- "$current"))
      return ;;
    submit:--seed)
      COMPREPLY=()
      return ;;
    submit:--epochs)
      COMPREPLY=()
      return ;;
    submit:--set)
      COMPREPLY=()
      return ;;
    status:--limit)
      COMPREPLY=()
      return ;;
    trials:--state)
      COMPREPLY=($(compgen -W 'queued running succeeded failed cancelled stopped' -- "$current"))
      return ;;
    trials:--limit)
      COMPREPLY=()
      return ;;
    weights:-o|weights:--output)
      COMPREPLY=($(compgen -f -- "$current"))
      return ;;
    export:--model)
      COMPREPLY=($(compgen -f -- "$current"))
      return ;;
    export:-o|export:--output)
      COMPREPLY=($(compgen -f -- "$current"))
      return ;;
    arch/show:--input)
      COMPREPLY=()
      return ;;
    arch/show:--classes)
      COMPREPLY=()
      return ;;
    arch/diff:--input)
      COMPREPLY=()
      return ;;
    arch/diff:--classes)
      COMPREPLY=()
      return ;;
    update:--trials)
      COMPREPLY=()
      return ;;
    update:--wall_time)
      COMPREPLY=()
      return ;;
    update:--cpu_time)
      COMPREPLY=()
      return ;;
    update:--energy)
      COMPREPLY=()
      return ;;
    update:--priority)
      COMPREPLY=()
      return ;;
    update:--share)
      COMPREPLY=()
      return ;;
    update:--max_parallel)
      COMPREPLY=()
      return ;;
  esac
  if [[ $command == submit && $current != -* ]]; then
    COMPREPLY=($(compgen -f -- "$current"))
    return
  fi
  if [[ $command == arch/show && $current != -* ]]; then
    COMPREPLY=($(compgen -f -- "$current"))
    return
  fi
  if [[ $command == arch/diff && $current != -* ]]; then
    COMPREPLY=($(compgen -f -- "$current"))
    return
  fi
  case $command in
    submit) words='--watch --validate_only --print_job --name --trials --wall_time --strategy --seed --epochs --set' ;;
    status) words='--limit --all' ;;
    watch) words='' ;;
    trials) words='--state --limit --all' ;;
    show) words='' ;;
    front) words='--no_plot' ;;
    weights) words='-o --output' ;;
    export) words='--model -o --output --normalized_input' ;;
    arch) words='show diff' ;;
    arch/show) words='--input --classes --dot' ;;
    arch/diff) words='--input --classes' ;;
    workers) words='' ;;
    drain) words='' ;;
    admit) words='' ;;
    extend) words='' ;;
    update) words='--trials --wall_time --cpu_time --energy --priority --share --max_parallel' ;;
    replay) words='' ;;
    pause) words='' ;;
    resume) words='' ;;
    cancel) words='' ;;
    delete) words='' ;;
    completion) words='bash zsh fish' ;;
    version) words='' ;;
    *) words='submit status watch trials show front weights export arch workers drain admit extend update replay pause resume cancel delete completion version' ;;
  esac
  COMPREPLY=($(compgen -W "$words -h --help --version --coordinator --json --timeout --color" -- "$current"))
}
complete -o filenames -F _frontier frontier
