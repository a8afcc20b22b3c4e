#compdef frontier
# zsh completion for frontier; put it as _frontier into a folder of $fpath
_frontier() {
  local context state line
  local -a commands
  commands=(
    'submit:Submit a job file; waits for nothing'
    'status:List the jobs, or tell how one is doing'
    'watch:Follow a job to its end'
    'trials:List the trials of a job'
    'show:Show a job as a job file, or all there is about a trial'
    'front:Show the front of a job as a table and a plot, and its cost'
    'weights:Download the trained model of a trial on the front to a file'
    'export:Write the trained model of a trial on the front as an ONNX file'
    'arch:Show an architecture, or what differs between two'
    'workers:List the workers, what they are and what they run'
    'drain:Give a worker no more trials; those it runs go on'
    'admit:Give a drained or quarantined worker trials again'
    'extend:Add options to the search space of a job that has not ended'
    'update:Change the budget of a job, also after its end, or its place in line'
    'replay:Rebuild a job'\''s proposals from its log, and compare them'
    'pause:Lease no new trials of a job; running ones go on'
    'resume:Go on with a paused job'
    'cancel:End a job; what its trials found is kept'
    'delete:Remove jobs that have ended, with their trials, logs and models'
    'completion:Print a completion script for a shell'
    'version:Print the versions of this program and of the coordinator'
  )
  _arguments -C \
    '-h[Explain the command and exit]' \
    '--help[Explain the command and exit]' \
    '--version[Print the version and exit]' \
    '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
    '--json[Print the answer as JSON, with the names of the protocol]' \
    '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
    '--color[When to use colours (default auto)]:value:(auto always never)' \
    '1:command:->command' \
    '*::argument:->arguments' && return
  case $state in
    command) _describe -t commands command commands ;;
    arguments)
      case $words[1] in
        submit)
          _arguments \
            '--watch[Follow the job to its end]' \
            '--validate_only[Let the coordinator check the job, submit nothing]' \
            '--print_job[Print the job as it would be submitted, submit nothing]' \
            '--name[Name of the job]:value: ' \
            '--trials[Most trials]:value: ' \
            '--wall_time[Longest time, such as 90s or 2h30m]:value: ' \
            '--strategy[Strategy by name, with its defaults]:value:(grid random evolution local_search nsga2 nsga3 reinforce tpe bayesian auto)' \
            '--seed[Seed of the search]:value: ' \
            '--epochs[Epochs each trial is trained for]:value: ' \
            '--set[Set any field of the job, such as --set training.epochs=3; may be repeated]:value: ' \
            '1:JOB_FILE:_files' \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        status)
          _arguments \
            '--limit[Most jobs to list (default 50)]:value: ' \
            '--all[List every job]' \
            '1:JOB: ' \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        watch)
          _arguments \
            '1:JOB: ' \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        trials)
          _arguments \
            '--state[Only those in this state]:value:(queued running succeeded failed cancelled stopped)' \
            '--limit[Most trials to list (default 50)]:value: ' \
            '--all[List every trial]' \
            '1:JOB: ' \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        show)
          _arguments \
            '1:JOB: ' \
            '2:TRIAL: ' \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        front)
          _arguments \
            '--no_plot[The table only]' \
            '1:JOB: ' \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        weights)
          _arguments \
            '-o[File to write; one that is there is replaced]:value:_files' \
            '--output[File to write; one that is there is replaced]:value:_files' \
            '1:JOB: ' \
            '2:TRIAL: ' \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        export)
          _arguments \
            '--model[Instead of JOB and TRIAL\: a file that frontier weights wrote]:value:_files' \
            '-o[File to write; one that is there is replaced]:value:_files' \
            '--output[File to write; one that is there is replaced]:value:_files' \
            '--normalized_input[Leave the scaling of the input to the caller]' \
            '1:JOB: ' \
            '2:TRIAL: ' \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        arch)
          commands=(
            'show:Show the layers of an architecture with shapes and costs'
            'diff:Compare two architectures'
          )
          _arguments -C \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            '1:command:->command' \
            '*::argument:->arguments' && return
          case $state in
            command) _describe -t commands command commands ;;
            arguments)
              case $words[1] in
                show)
                  _arguments \
                    '--input[Samples of a network given by name (default 3x224x224); a file'\''s are checked against it]:value: ' \
                    '--classes[Classes of a network given by name (default 1000); a file'\''s are checked against it]:value: ' \
                    '--dot[Print a graph for Graphviz instead]' \
                    '1:ARCHITECTURE:_files' \
                    '-h[Explain the command and exit]' \
                    '--help[Explain the command and exit]' \
                    '--version[Print the version and exit]' \
                    '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
                    '--json[Print the answer as JSON, with the names of the protocol]' \
                    '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
                    '--color[When to use colours (default auto)]:value:(auto always never)' \
                    && return ;;
                diff)
                  _arguments \
                    '--input[Samples of a network given by name (default 3x224x224); a file'\''s are checked against it]:value: ' \
                    '--classes[Classes of a network given by name (default 1000); a file'\''s are checked against it]:value: ' \
                    '1:A:_files' \
                    '2:B:_files' \
                    '-h[Explain the command and exit]' \
                    '--help[Explain the command and exit]' \
                    '--version[Print the version and exit]' \
                    '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
                    '--json[Print the answer as JSON, with the names of the protocol]' \
                    '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
                    '--color[When to use colours (default auto)]:value:(auto always never)' \
                    && return ;;
              esac ;;
          esac
          ;;
        workers)
          _arguments \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        drain)
          _arguments \
            '1:WORKER: ' \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        admit)
          _arguments \
            '1:WORKER: ' \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        extend)
          _arguments \
            '1:JOB: ' \
            '2:LIST: ' \
            '3:VALUE: ' \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        update)
          _arguments \
            '--trials[Trials in all]:value: ' \
            '--wall_time[Time in all, such as 90m or 2h30m]:value: ' \
            '--cpu_time[CPU time of trials in all]:value: ' \
            '--energy[Energy of trials in all]:value: ' \
            '--priority[-100 to 100; jobs with a higher one come first]:value: ' \
            '--share[Of workers, beside jobs of the same priority]:value: ' \
            '--max_parallel[Trials at a time; 0 = no limit]:value: ' \
            '1:JOB: ' \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        replay)
          _arguments \
            '1:JOB: ' \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        pause)
          _arguments \
            '1:JOB: ' \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        resume)
          _arguments \
            '1:JOB: ' \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        cancel)
          _arguments \
            '1:JOB: ' \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        delete)
          _arguments \
            '1:JOB: ' \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        completion)
          _arguments \
            '1:SHELL:(bash zsh fish)' \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
        version)
          _arguments \
            '-h[Explain the command and exit]' \
            '--help[Explain the command and exit]' \
            '--version[Print the version and exit]' \
            '--coordinator[Address of the coordinator (default 127.0.0.1\:7070, or FRONTIER_COORDINATOR)]:value: ' \
            '--json[Print the answer as JSON, with the names of the protocol]' \
            '--timeout[Longest wait for an answer, in seconds (default 10)]:value: ' \
            '--color[When to use colours (default auto)]:value:(auto always never)' \
            && return ;;
      esac ;;
  esac
}
if [[ $funcstack[1] == _frontier ]]; then
  _frontier "$@"
else
  compdef _frontier frontier
fi
