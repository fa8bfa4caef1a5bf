# fish completion for dcmsend
# made by scripts/generate from the table of options; do not edit

# What each value of an option is, one a line.
function __dcmsend_values
    switch $argv[1]
        case -ll --log-level
            printf '%s\n' 'words:fatal error warn info debug trace'
        case -lc --log-config
            printf '%s\n' file
        case --log-format
            printf '%s\n' 'words:text json'
        case +sp --scan-pattern
            printf '%s\n' free
        case --files-from
            printf '%s\n' file
        case +cl --compression-level
            printf '%s\n' 'words:0 1 2 3 4 5 6 7 8 9'
        case --peer
            printf '%s\n' peer
        case --peers
            printf '%s\n' file
        case -aet --aetitle
            printf '%s\n' free
        case -aec --call
            printf '%s\n' free
        case --associations
            printf '%s\n' free
        case --retries
            printf '%s\n' free
        case --retry-delay
            printf '%s\n' free
        case --journal
            printf '%s\n' file
        case -usr --user
            printf '%s\n' free
        case -pwd --password
            printf '%s\n' free
        case --password-file
            printf '%s\n' file
        case -kt --kerberos
            printf '%s\n' file
        case --saml
            printf '%s\n' file
        case --jwt
            printf '%s\n' file
        case -to --timeout
            printf '%s\n' free
        case -ta --acse-timeout
            printf '%s\n' free
        case -td --dimse-timeout
            printf '%s\n' free
        case --socket-timeout
            printf '%s\n' free
        case -pdu --max-pdu
            printf '%s\n' free
        case --max-send-pdu
            printf '%s\n' free
        case --async-window
            printf '%s\n' free
        case --rate-limit
            printf '%s\n' free
        case +tls --enable-tls
            printf '%s\n' file file
        case +pw --use-passwd
            printf '%s\n' free
        case +cf --add-cert-file
            printf '%s\n' file
        case +cd --add-cert-dir
            printf '%s\n' folder
        case +crl --add-crl-file
            printf '%s\n' file
        case +cs --cipher
            printf '%s\n' 'words:TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256 TLS_AES_128_GCM_SHA256 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256 TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 TLS_DHE_RSA_WITH_AES_256_GCM_SHA384 TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256 TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384 TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384 TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA TLS_DHE_RSA_WITH_AES_128_CBC_SHA256 TLS_DHE_RSA_WITH_AES_256_CBC_SHA256 TLS_DHE_RSA_WITH_AES_128_CBC_SHA TLS_DHE_RSA_WITH_AES_256_CBC_SHA TLS_RSA_WITH_AES_128_CBC_SHA TLS_RSA_WITH_AES_256_CBC_SHA TLS_RSA_WITH_AES_128_CBC_SHA256 TLS_RSA_WITH_AES_256_CBC_SHA256 TLS_RSA_WITH_AES_128_GCM_SHA256 TLS_RSA_WITH_AES_256_GCM_SHA384'
        case --tls-server-name
            printf '%s\n' free
        case +crf --create-report-file
            printf '%s\n' file
        case --report-json
            printf '%s\n' file
        case --report-csv
            printf '%s\n' file
        case --report-html
            printf '%s\n' file
    end
end

# What the word at the cursor is to be: option, file, folder, peer, free, or words:... with the words themselves.
function __dcmsend_wanted
    set -l words (commandline -opc)
    set -l last (math (count $words) + 1)
    set -l position 2
    set -l parameters 0
    while test $position -lt $last
        set -l values
        if string match -qr -- '^(-0$|[-+][^0-9])' $words[$position]
            set values (__dcmsend_values $words[$position])
        else
            set parameters (math $parameters + 1)
        end
        if test (math $position + (count $values)) -ge $last
            echo $values[(math $last - $position)]
            return
        end
        set position (math $position + 1 + (count $values))
    end
    if string match -qr -- '^[-+]' (commandline -ct)
        echo option
    else if test $parameters -ge 2; or contains -- --peer $words
        echo file
    end
end

function __dcmsend_peers
    set -l file $HOME/.config
    set -q XDG_CONFIG_HOME; and set file $XDG_CONFIG_HOME
    set file $file/dcmsend/peers.toml
    set -l words (commandline -opc)
    if set -l place (contains -i -- --peers $words)
        set -q words[(math $place + 1)]; and set file $words[(math $place + 1)]
    end
    sed -n 's/^[[:blank:]]*\["\{0,1\}\([[:alnum:]_-]\{1,\}\)"\{0,1\}\].*/\1/p' $file 2>/dev/null
end

function __dcmsend_options
    printf '%s\t%s\n' -h 'show this text and exit'
    printf '%s\t%s\n' --help 'show this text and exit'
    printf '%s\t%s\n' --version 'show the version and exit'
    printf '%s\t%s\n' --list-decoders 'show which transfer syntaxes can be sent or decoded, and exit'
    printf '%s\t%s\n' --arguments 'log the arguments as they are after expansion'
    printf '%s\t%s\n' -q 'log nothing but what ends the run'
    printf '%s\t%s\n' --quiet 'log nothing but what ends the run'
    printf '%s\t%s\n' -v 'log each step, and a summary at the end'
    printf '%s\t%s\n' --verbose 'log each step, and a summary at the end'
    printf '%s\t%s\n' -d 'log details for finding faults'
    printf '%s\t%s\n' --debug 'log details for finding faults'
    printf '%s\t%s\n' -ll 'log up to this level (default: warn)'
    printf '%s\t%s\n' --log-level 'log up to this level (default: warn)'
    printf '%s\t%s\n' -lc 'set up the log from a file: DCMTK\'s or Python\'s kind'
    printf '%s\t%s\n' --log-config 'set up the log from a file: DCMTK\'s or Python\'s kind'
    printf '%s\t%s\n' --log-format 'how the log is written: lines for people, or events as JSON lines'
    printf '%s\t%s\n' +v 'log the presentation contexts too'
    printf '%s\t%s\n' --verbose-pc 'log the presentation contexts too'
    printf '%s\t%s\n' +f 'DICOM files and bare data sets'
    printf '%s\t%s\n' --read-file 'DICOM files and bare data sets'
    printf '%s\t%s\n' +fo 'DICOM files only'
    printf '%s\t%s\n' --read-file-only 'DICOM files only'
    printf '%s\t%s\n' -f 'bare data sets only, without file meta information'
    printf '%s\t%s\n' --read-dataset 'bare data sets only, without file meta information'
    printf '%s\t%s\n' +rd 'a DICOMDIR stands for the files that it lists'
    printf '%s\t%s\n' --read-from-dicomdir 'a DICOMDIR stands for the files that it lists'
    printf '%s\t%s\n' +sd 'a folder stands for the files in it'
    printf '%s\t%s\n' --scan-directories 'a folder stands for the files in it'
    printf '%s\t%s\n' +sp 'take only files of this name from folders, * ? [] being wildcards'
    printf '%s\t%s\n' --scan-pattern 'take only files of this name from folders, * ? [] being wildcards'
    printf '%s\t%s\n' -r 'leave folders within folders alone'
    printf '%s\t%s\n' --no-recurse 'leave folders within folders alone'
    printf '%s\t%s\n' +r 'take folders within folders too'
    printf '%s\t%s\n' --recurse 'take folders within folders too'
    printf '%s\t%s\n' --scan-archives 'a zip or tar archive stands for the files in it'
    printf '%s\t%s\n' --files-from 'take names of files and folders from this file too, one in a line; - is standard input'
    printf '%s\t%s\n' -0 'NUL characters stand between those names, not line ends'
    printf '%s\t%s\n' --null 'NUL characters stand between those names, not line ends'
    printf '%s\t%s\n' --allow-external-references 'follow entries of a DICOMDIR that lead out of its folder'
    printf '%s\t%s\n' --send-duplicates 'send a file as often as it is given'
    printf '%s\t%s\n' -dn 'never decompress compressed data sets'
    printf '%s\t%s\n' --decompress-never 'never decompress compressed data sets'
    printf '%s\t%s\n' +dls 'only decompress lossless compression, where the peer does not take it'
    printf '%s\t%s\n' --decompress-lossless 'only decompress lossless compression, where the peer does not take it'
    printf '%s\t%s\n' +dly 'decompress both lossy and lossless compression'
    printf '%s\t%s\n' --decompress-lossy 'decompress both lossy and lossless compression'
    printf '%s\t%s\n' +cl 'from 0 (stored) over 1 (fast) to 9 (small), for what is deflated anew'
    printf '%s\t%s\n' --compression-level 'from 0 (stored) over 1 (fast) to 9 (small), for what is deflated anew'
    printf '%s\t%s\n' -nh 'go on after an invalid file, or an instance that could not be sent'
    printf '%s\t%s\n' --no-halt 'go on after an invalid file, or an instance that could not be sent'
    printf '%s\t%s\n' --scan-first 'look at all input before anything is sent'
    printf '%s\t%s\n' -nip 'propose nothing that leaves out the default transfer syntax where it is needed'
    printf '%s\t%s\n' --no-illegal-proposal 'propose nothing that leaves out the default transfer syntax where it is needed'
    printf '%s\t%s\n' -nuc 'take the UIDs of files as they are'
    printf '%s\t%s\n' --no-uid-checks 'take the UIDs of files as they are'
    printf '%s\t%s\n' --dry-run 'connect to nobody; show what would be proposed and sent, and what would not and why'
    printf '%s\t%s\n' --echo 'ask the peer with C-ECHO whether it is there; without files, do nothing else'
    printf '%s\t%s\n' --probe 'ask the peer which presentation contexts it accepts; show what would be converted or refused'
    printf '%s\t%s\n' --peer 'send to the peer of this name; the parameters peer and port are left out then'
    printf '%s\t%s\n' --peers 'look its name up in this file, not in the user\'s peers.toml'
    printf '%s\t%s\n' -i4 'use IPv4 addresses only'
    printf '%s\t%s\n' --ipv4 'use IPv4 addresses only'
    printf '%s\t%s\n' -i6 'use IPv6 addresses only'
    printf '%s\t%s\n' --ipv6 'use IPv6 addresses only'
    printf '%s\t%s\n' -i0 'use all addresses that the name has'
    printf '%s\t%s\n' --ip-auto 'use all addresses that the name has'
    printf '%s\t%s\n' -aet 'our own title of at most 16 characters'
    printf '%s\t%s\n' --aetitle 'our own title of at most 16 characters'
    printf '%s\t%s\n' -aec 'the peer\'s title of at most 16 characters'
    printf '%s\t%s\n' --call 'the peer\'s title of at most 16 characters'
    printf '%s\t%s\n' +ma 'open as many associations as are needed, in turn'
    printf '%s\t%s\n' --multi-associations 'open as many associations as are needed, in turn'
    printf '%s\t%s\n' -ma 'open one association and no more'
    printf '%s\t%s\n' --single-association 'open one association and no more'
    printf '%s\t%s\n' --associations 'how many associations may be open at once'
    printf '%s\t%s\n' --retries 'how often to try an instance or an association again after a failure that may pass'
    printf '%s\t%s\n' --retry-delay 'how long to wait before; twice as long after each further failure in a row, up to a minute'
    printf '%s\t%s\n' --journal 'keep in this file what has become of each instance, and leave out what is stored already'
    printf '%s\t%s\n' --journal-any-peer 'use the journal of another peer, which stands for the same archive'
    printf '%s\t%s\n' --journal-give-up 'give up what the journal has from earlier runs that is neither stored nor among the input'
    printf '%s\t%s\n' -usr 'name of the user, which the peer is told'
    printf '%s\t%s\n' --user 'name of the user, which the peer is told'
    printf '%s\t%s\n' -pwd 'password of the user; who may list processes sees it'
    printf '%s\t%s\n' --password 'password of the user; who may list processes sees it'
    printf '%s\t%s\n' -epw 'an empty password'
    printf '%s\t%s\n' --empty-password 'an empty password'
    printf '%s\t%s\n' --password-file 'take the password from the first line of a file, - being standard input'
    printf '%s\t%s\n' -kt 'tell the peer the Kerberos ticket in a file'
    printf '%s\t%s\n' --kerberos 'tell the peer the Kerberos ticket in a file'
    printf '%s\t%s\n' --saml 'tell the peer the SAML assertion in a file'
    printf '%s\t%s\n' --jwt 'tell the peer the JSON web token in a file'
    printf '%s\t%s\n' -rsp 'send nothing unless the peer confirms the identity'
    printf '%s\t%s\n' --pos-response 'send nothing unless the peer confirms the identity'
    printf '%s\t%s\n' -to 'limit for opening a connection'
    printf '%s\t%s\n' --timeout 'limit for opening a connection'
    printf '%s\t%s\n' -ta 'limit for the answer to opening or releasing an association'
    printf '%s\t%s\n' --acse-timeout 'limit for the answer to opening or releasing an association'
    printf '%s\t%s\n' -td 'limit for the response to an instance'
    printf '%s\t%s\n' --dimse-timeout 'limit for the response to an instance'
    printf '%s\t%s\n' --socket-timeout 'limit for a connection that stalls in the middle of something; 0 is unlimited'
    printf '%s\t%s\n' -pdu 'longest PDU that we take'
    printf '%s\t%s\n' --max-pdu 'longest PDU that we take'
    printf '%s\t%s\n' --max-send-pdu 'longest PDU that we send, whatever the peer takes'
    printf '%s\t%s\n' --async-window 'how many instances may be sent before the response to the first; 0 is as many as the peer takes'
    printf '%s\t%s\n' --rate-limit 'most bytes per second, over all associations; k, M and G stand for zeros'
    printf '%s\t%s\n' -tls 'send over a plain TCP connection'
    printf '%s\t%s\n' --disable-tls 'send over a plain TCP connection'
    printf '%s\t%s\n' +tls 'secure the connection, and show a certificate'
    printf '%s\t%s\n' --enable-tls 'secure the connection, and show a certificate'
    printf '%s\t%s\n' +tla 'secure the connection, and show no certificate'
    printf '%s\t%s\n' --anonymous-tls 'secure the connection, and show no certificate'
    printf '%s\t%s\n' +ps 'ask for the password of the private key, if it needs one'
    printf '%s\t%s\n' --std-passwd 'ask for the password of the private key, if it needs one'
    printf '%s\t%s\n' +pw 'the private key\'s password'
    printf '%s\t%s\n' --use-passwd 'the private key\'s password'
    printf '%s\t%s\n' -pw 'the private key\'s password is empty'
    printf '%s\t%s\n' --null-passwd 'the private key\'s password is empty'
    printf '%s\t%s\n' -pem 'keys, certificates and revocation lists are in PEM'
    printf '%s\t%s\n' --pem-keys 'keys, certificates and revocation lists are in PEM'
    printf '%s\t%s\n' -der 'they are in DER'
    printf '%s\t%s\n' --der-keys 'they are in DER'
    printf '%s\t%s\n' +cf 'trust the certificates in this file, not those of the system'
    printf '%s\t%s\n' --add-cert-file 'trust the certificates in this file, not those of the system'
    printf '%s\t%s\n' +cd 'trust the certificates in this folder, not those of the system'
    printf '%s\t%s\n' --add-cert-dir 'trust the certificates in this folder, not those of the system'
    printf '%s\t%s\n' +crl 'a certificate revocation list; implies --enable-crl-vfy'
    printf '%s\t%s\n' --add-crl-file 'a certificate revocation list; implies --enable-crl-vfy'
    printf '%s\t%s\n' +crv 'look up the peer\'s certificate in revocation lists'
    printf '%s\t%s\n' --enable-crl-vfy 'look up the peer\'s certificate in revocation lists'
    printf '%s\t%s\n' +cra 'look up all certificates of its chain'
    printf '%s\t%s\n' --enable-crl-all 'look up all certificates of its chain'
    printf '%s\t%s\n' +py 'Non-Downgrading BCP 195 TLS Profile'
    printf '%s\t%s\n' --profile-bcp195-nd 'Non-Downgrading BCP 195 TLS Profile'
    printf '%s\t%s\n' +px 'BCP 195 TLS Profile: older cipher suites too'
    printf '%s\t%s\n' --profile-bcp195 'BCP 195 TLS Profile: older cipher suites too'
    printf '%s\t%s\n' +pz 'Extended BCP 195 TLS Profile: AES-GCM alone'
    printf '%s\t%s\n' --profile-bcp195-ex 'Extended BCP 195 TLS Profile: AES-GCM alone'
    printf '%s\t%s\n' +pa 'refused: retired, and not safe'
    printf '%s\t%s\n' --profile-aes 'refused: retired, and not safe'
    printf '%s\t%s\n' +pn 'refused: does not encrypt'
    printf '%s\t%s\n' --profile-null 'refused: does not encrypt'
    printf '%s\t%s\n' +cc 'show which cipher suites may be proposed, and exit'
    printf '%s\t%s\n' --list-ciphers 'show which cipher suites may be proposed, and exit'
    printf '%s\t%s\n' +cs 'propose this cipher suite too'
    printf '%s\t%s\n' --cipher 'propose this cipher suite too'
    printf '%s\t%s\n' -rc 'the peer\'s certificate must be trusted, and for its name'
    printf '%s\t%s\n' --require-peer-cert 'the peer\'s certificate must be trusted, and for its name'
    printf '%s\t%s\n' -vc 'the same: every peer has to show one'
    printf '%s\t%s\n' --verify-peer-cert 'the same: every peer has to show one'
    printf '%s\t%s\n' -ic 'anybody may be the peer'
    printf '%s\t%s\n' --ignore-peer-cert 'anybody may be the peer'
    printf '%s\t%s\n' --tls-server-name 'whom the peer\'s certificate must be for, if not for the host given'
    printf '%s\t%s\n' +crf 'write what became of each instance to a text file'
    printf '%s\t%s\n' --create-report-file 'write what became of each instance to a text file'
    printf '%s\t%s\n' --dcmtk-exit-codes 'exit with 0, not 66 or 67, when not everything was stored'
    printf '%s\t%s\n' --report-json 'write a report as one JSON object'
    printf '%s\t%s\n' --report-csv 'write a report as a table, a line for each instance'
    printf '%s\t%s\n' --report-html 'write a report as a page for the browser'
    printf '%s\t%s\n' --progress 'show how far the run is from its start on; where there is no terminal, now and then a line'
    printf '%s\t%s\n' --no-progress 'never show it (without either: on a terminal, once a run takes longer than a second)'
end

function __dcmsend_complete
    set -l wanted (__dcmsend_wanted)
    switch "$wanted"
        case option
            __dcmsend_options
        case folder
            __fish_complete_directories (commandline -ct) folder
        case peer
            __dcmsend_peers
        case 'words:*'
            string split ' ' -- (string replace words: '' -- $wanted)
    end
end

complete -c dcmsend -f -a '(__dcmsend_complete)'
complete -c dcmsend -n 'test "$(__dcmsend_wanted)" = file' -F
