# bash completion for cairn-cli. Made from the option table by: cairn-cli -gen=completion

_cairn_cli()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    # bash makes the = a word of its own; behind it stands a value
    if [[ $cur == '=' || $prev == '=' ]]; then
        COMPREPLY=($(compgen -f -- "${cur#=}"))
        return
    fi
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W '-addrinfo -chain= -color= -conf= -datadir= -getinfo -help -named -netinfo -regtest -rpcclienttimeout= -rpcconnect= -rpccookiefile= -rpcid= -rpcpassword= -rpcport= -rpcuser= -rpcwait -rpcwaittimeout= -signet -stdin -stdinrpcpass -testnet -testnet4 -version' -- "$cur"))
        [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
        return
    fi
    local methods
    methods=$(cairn-cli help 2>/dev/null | awk '/^[a-z]/ { print $1 }')
    COMPREPLY=($(compgen -W "$methods" -- "$cur"))
}

complete -F _cairn_cli cairn-cli
