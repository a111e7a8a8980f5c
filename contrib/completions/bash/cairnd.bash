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
        COMPREPLY=($(compgen -W '-addnode= -alertnotify= -allowignoredconf -assumevalid= -bantime= -bind= -blockfilterindex= -blockmintxfee= -blocknotify= -blockreconstructionextratxn= -blockreservedweight= -blocksdir= -blocksonly -blocksxor -bytespersigop= -chain= -cjdnsreachable -coinstatsindex -conf= -connect= -daemon -daemonwait -datacarrier -datacarriersize= -datadir= -dbcache= -debug= -debugexclude= -debuglogfile= -discover -dns -dnsseed -externalip= -fixedseeds -forcednsseed -help -help-debug -inboundrelaypercent= -includeconf= -listen -loadblock= -logips -loglevelalways -logratelimit -logsourcelocations -logthreadnames -logtimestamps -maxconnections= -maxmempool= -maxreceivebuffer= -maxsendbuffer= -maxuploadtarget= -mempoolexpiry= -minrelaytxfee= -networkactive -onion= -onlynet= -par= -peerblockfilters -peerbloomfilters -permitbaremultisig -persistmempool -pid= -port= -printtoconsole -proxy= -proxyrandomize -prune= -reindex -reindex-chainstate -reorgalarm= -rpcallowip= -rpcauth= -rpcbind= -rpccookiefile= -rpccookieperms= -rpcpassword= -rpcport= -rpcthreads= -rpcuser= -rpcwhitelist= -rpcwhitelistdefault -seednode= -server -settings= -shrinkdebugfile -shutdownnotify= -signet -signetchallenge= -signetseednode= -startupnotify= -testnet -testnet4 -timeout= -txindex -uacomment= -version -whitebind= -whitelist= -whitelistforcerelay -whitelistrelay' -- "$cur"))
        [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
        return
    fi
}

complete -F _cairnd cairnd
