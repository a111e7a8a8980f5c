# bash completion for cairn-miner. Made from the option table by: cairn-miner -gen=completion

_cairn_miner()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    # bash makes the = a word of its own; behind it stands a value
    if [[ $cur == '=' || $prev == '=' ]]; then
        COMPREPLY=($(compgen -f -- "${cur#=}"))
        return
    fi
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W '-address= -benchmark -blocks= -chain= -conf= -datadir= -help -kernel= -longpoll -regtest -retries= -rpcclienttimeout= -rpcconnect= -rpccookiefile= -rpcpassword= -rpcport= -rpcuser= -signet -testnet -testnet4 -threads= -version -versionrolling' -- "$cur"))
        [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
        return
    fi
}

complete -F _cairn_miner cairn-miner
