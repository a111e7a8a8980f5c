# bash completion of cairn-sim
_cairn_sim()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    case $prev in
    --scenario) COMPREPLY=($(compgen -W "eclipse day" -- "$cur")) ;;
    --file) COMPREPLY=($(compgen -f -- "$cur")) ;;
    *) COMPREPLY=($(compgen -W "--seed --seeds --from --seconds --jobs --file --nodes --minutes --trace --log --verbose --scenario --victims --help --version" -- "$cur")) ;;
    esac
}
complete -F _cairn_sim cairn-sim
