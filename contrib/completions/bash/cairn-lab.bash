# bash completion of cairn-lab
_cairn_lab()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    case $prev in
    --report) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    esac
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "page run live list show lesson check theory race trials selfish eclipse cost speed --help --version $(cairn-lab list --names 2>/dev/null)" -- "$cur"))
        return
    fi
    case ${COMP_WORDS[1]} in
    page) COMPREPLY=($(compgen -W "--port --address --open --play --seed --set --jobs $(cairn-lab list --names 2>/dev/null) --help" -- "$cur")) ;;
    run) COMPREPLY=($(compgen -W "--plain --json --seed --set --until --trace-hash --report --trials $(cairn-lab list --names 2>/dev/null) --help" -- "$cur")) ;;
    live) COMPREPLY=($(compgen -W "--plain --json --page --port --speed --port-base --cairnd --miner --seed --set $(cairn-lab list --names 2>/dev/null) --help" -- "$cur")) ;;
    list) COMPREPLY=($(compgen -W "--json --names --help" -- "$cur")) ;;
    show) COMPREPLY=($(compgen -W "--seed --set $(cairn-lab list --names 2>/dev/null) --help" -- "$cur")) ;;
    lesson) COMPREPLY=($(compgen -W "--plain --port --address --open --help" -- "$cur")) ;;
    check) COMPREPLY=($(compgen -W "$(cairn-lab list --names 2>/dev/null) --help" -- "$cur")) ;;
    theory) COMPREPLY=($(compgen -W "--q --z --premine --patience --budget --minutes --json --help" -- "$cur")) ;;
    race) COMPREPLY=($(compgen -W "--q --z --trials --seed --premine --patience --budget --jobs --json --help" -- "$cur")) ;;
    trials) COMPREPLY=($(compgen -W "--q --z --trials --seed --premine --set --jobs --json --verbose --help" -- "$cur")) ;;
    selfish) COMPREPLY=($(compgen -W "--alpha --gamma --events --seed --json --help" -- "$cur")) ;;
    eclipse) COMPREPLY=($(compgen -W "--q --z --trials --blocks --seed --jobs --json --help" -- "$cur")) ;;
    cost) COMPREPLY=($(compgen -W "--q --z --value --hashrate --price --coin --reward --json --help" -- "$cur")) ;;
    speed) COMPREPLY=($(compgen -W "--nodes --minutes --seed --json --help" -- "$cur")) ;;
    esac
}
complete -F _cairn_lab cairn-lab
