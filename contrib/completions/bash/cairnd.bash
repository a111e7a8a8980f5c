# bash completion for cairnd. Made from the option table by: cairnd -gen=completion

_cairnd()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    # bash makes the = a word of its own; behind it stands a value
    if [[ $cur == '=' || $prev == '=' ]]; then
        COMPREPLY=($(compgen -f -- "${cur#=}"))
        return
    fi
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W '-alertnotify= -allowignoredconf -assumevalid= -blocknotify= -blocksdir= -blocksxor -chain= -coinstatsindex -conf= -daemon -daemonwait -datadir= -dbcache= -debug= -debugexclude= -debuglogfile= -help -help-debug -includeconf= -loadblock= -loglevelalways -logratelimit -logsourcelocations -logthreadnames -logtimestamps -par= -pid= -printtoconsole -prune= -reindex -reindex-chainstate -rpcallowip= -rpcauth= -rpcbind= -rpccookiefile= -rpccookieperms= -rpcpassword= -rpcport= -rpcthreads= -rpcuser= -rpcwhitelist= -rpcwhitelistdefault -server -settings= -shrinkdebugfile -shutdownnotify= -signet -signetchallenge= -startupnotify= -testnet -testnet4 -txindex -uacomment= -version' -- "$cur"))
        [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
        return
    fi
}

complete -F _cairnd cairnd
