"""Completions for bash, zsh and fish. The rules of the command line are the same in all of them.

A word that begins with ``-`` or ``+`` is an option; its values are the next words, whatever they look like; the first
two other words are peer and port (nothing to offer), unless ``--peer`` names the peer; the rest are files.
"""

from __future__ import annotations

from typing import Final

from dcmsend.cli.options import OPTIONS, Option
from scripts.writers.values import Source, Value, names, values

_MADE: Final = "made by scripts/generate from the table of options; do not edit"

# The names of peers: headings of a TOML file. Only plain ones, since shells would take others apart.
_HEADINGS: Final = r"""s/^[[:blank:]]*\["\{0,1\}\([[:alnum:]_-]\{1,\}\)"\{0,1\}\].*/\1/p"""

_BASH: Final = r"""# bash completion for dcmsend (bash 4 or later)
# @MADE@

# Sets values: what each value of an option is.
_dcmsend_values() {
    values=()
    case $1 in
@VALUES@
    esac
}

_dcmsend_peers() {
    sed -n '@HEADINGS@' "${1:-${XDG_CONFIG_HOME:-$HOME/.config}/dcmsend/peers.toml}" 2>/dev/null
}

_dcmsend_options=(
@OPTIONS@
)

_dcmsend() {
    local current=${COMP_WORDS[COMP_CWORD]} rest=$COMP_LINE wanted= named= peers= each line
    local -a words=() values=()
    local -i position=1 parameters=0 last
    COMPREPLY=()

    # readline breaks words at colons and the like; what no blank parts is one word
    for each in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if [[ $rest == [[:blank:]]* || ${#words[@]} -eq 0 ]]; then words+=("$each"); else words[-1]+=$each; fi
        rest=${rest#"${rest%%[![:blank:]]*}"}
        rest=${rest#"$each"}
    done

    last=$((${#words[@]} - 1))
    while ((position < last)); do
        each=${words[position]}
        values=()
        case $each in
        -0 | [-+][!0-9]*) _dcmsend_values "$each" ;;
        *) parameters+=1 ;;
        esac
        case $each in
        --peer) named=yes ;;
        --peers) peers=${words[position + 1]} ;;
        esac
        if ((position + ${#values[@]} >= last)); then wanted=${values[last - position - 1]}; fi
        position+=$((1 + ${#values[@]}))
    done
    if [[ -z $wanted && $current == [-+]* ]]; then wanted=option; fi
    if [[ -z $wanted && ($named || $parameters -ge 2) ]]; then wanted=file; fi

    case $wanted in
    option)
        for line in "${_dcmsend_options[@]}"; do
            if [[ ${line%%|*} == "$current"* ]]; then COMPREPLY+=("$line"); fi
        done
        if [[ ${#COMPREPLY[@]} -gt 1 && $COMP_TYPE == 63 ]]; then # a list is to be shown, nothing to be put in
            for position in "${!COMPREPLY[@]}"; do
                line=${COMPREPLY[position]}
                printf -v line '%-24s %s' "${line%%|*}" "${line#*|}"
                COMPREPLY[position]=${line:0:${COLUMNS:-80}-2}
            done
        else
            COMPREPLY=("${COMPREPLY[@]%%|*}")
        fi
        ;;
    file)
        compopt -o filenames -o default 2>/dev/null # the latter where there are marks of quotation
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        ;;
    folder)
        compopt -o filenames -o dirnames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
        ;;
    peer) mapfile -t COMPREPLY < <(compgen -W "$(_dcmsend_peers "$peers")" -- "$current") ;;
    words:*) mapfile -t COMPREPLY < <(compgen -W "${wanted#words:}" -- "$current") ;;
    esac
}

complete -F _dcmsend dcmsend
"""

_ZSH: Final = r"""#compdef dcmsend
# @MADE@

_dcmsend_peers() {
    local file=${XDG_CONFIG_HOME:-$HOME/.config}/dcmsend/peers.toml
    local -i place=${words[(I)--peers]}
    if (( place )); then file=${words[place + 1]}; fi
    local -a peers
    peers=(${(f)"$(sed -n '@HEADINGS@' $file 2>/dev/null)"})
    _wanted peers expl 'named peer' compadd -a peers
}

_dcmsend() {
    local -a parameters
    if (( ${words[(I)--peer]} )); then
        parameters=('*:DICOM file or folder:_files')
    else
        parameters=('1:peer:_message peer' '2:port:_message port' '*:DICOM file or folder:_files')
    fi
    _arguments \
@OPTIONS@
        $parameters
}

_dcmsend "$@"
"""

_FISH: Final = r"""# fish completion for dcmsend
# @MADE@

# What each value of an option is, one a line.
function __dcmsend_values
    switch $argv[1]
@VALUES@
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
    sed -n '@HEADINGS@' $file 2>/dev/null
end

function __dcmsend_options
@OPTIONS@
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
"""


def bash() -> str:
    """The file for bash."""
    options = [f"    {_quoted(f'{name}|{option.help}')}" for option in OPTIONS for name in names(option)]
    cases = [f"    {' | '.join(names(option))}) values=({_kinds(option)}) ;;" for option in OPTIONS if option.arguments]
    return _filled(_BASH, VALUES=cases, OPTIONS=options, HEADINGS=[_HEADINGS])


def zsh() -> str:
    """The file for zsh."""
    return _filled(_ZSH, OPTIONS=[_zsh_line(option) for option in OPTIONS], HEADINGS=[_HEADINGS])


def fish() -> str:
    """The file for fish."""
    cases = [
        f"        case {' '.join(names(option))}\n            printf '%s\\n' {_kinds(option)}"
        for option in OPTIONS
        if option.arguments
    ]
    options = [
        f"    printf '%s\\t%s\\n' {name} {_fish_quoted(option.help)}" for option in OPTIONS for name in names(option)
    ]
    return _filled(_FISH, VALUES=cases, OPTIONS=options, HEADINGS=[_HEADINGS])


def _filled(template: str, **lines: list[str]) -> str:
    for name, filling in lines.items():
        template = template.replace(f"@{name}@", "\n".join(filling))
    return template.replace("@MADE@", _MADE)


def _kinds(option: Option) -> str:
    """The values of an option as bash and fish get them: one word for each."""
    return " ".join(_kind(value) for value in values(option))


def _kind(value: Value) -> str:
    return _quoted(f"words:{' '.join(value.words)}") if value.source is Source.WORDS else value.source.value


_ZSH_ACTIONS: Final = {
    Source.FILES: "_files",
    Source.FOLDERS: "_files -/",
    Source.PEERS: "_dcmsend_peers",
    Source.NOTHING: " ",
}


def _zsh_line(option: Option) -> str:
    """An option that was given is not offered again, unless every use of it counts."""
    both = names(option)
    before = "'*'" if option.collects else f"'({' '.join(both)})'"
    spelled = "{" + ",".join(both) + "}" if len(both) > 1 else both[0]
    text = f"[{_zsh_escaped(option.help)}]" + "".join(
        f":{_zsh_escaped(value.name)}:{_zsh_action(value)}" for value in values(option)
    )
    return f"        {before}{spelled}{_quoted(text)} \\"


def _zsh_action(value: Value) -> str:
    return f"({' '.join(value.words)})" if value.source is Source.WORDS else _ZSH_ACTIONS[value.source]


def _zsh_escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\[]:" else letter for letter in text)


def _quoted(text: str) -> str:
    """A word for bash and zsh."""
    return "'" + text.replace("'", "'\\''") + "'"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
