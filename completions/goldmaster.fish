# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_goldmaster_global_optspecs
    string join \n r/reference= p/profile= character= match= refine= decider= set= strict for= loudness= ceiling= codec-safe max-limiting-db= rate= bits= bitrate= intensity= tone= dynamics= width= trim= fade-in= fade-out= save-recipe= recipe= o/output= format= name= f/force delta= report= report-audio= json q/quiet g/genre= h/help V/version
end

function __fish_goldmaster_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_goldmaster_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_goldmaster_using_subcommand
    set -l cmd (__fish_goldmaster_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c goldmaster -n "__fish_goldmaster_needs_command" -s r -l reference -d 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35' -r
complete -c goldmaster -n "__fish_goldmaster_needs_command" -s p -l profile -d 'A profile of records to sound like, as `goldmaster profile` writes it' -r -F
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l character -d 'Character of the master, next to its target' -r -f -a "balanced\t''
warm\t''
bright\t''
open\t''
punchy\t''
loud\t''"
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l match -d 'Method of following a reference' -r -f -a "balance\t'Its tonal balance and width, octave by octave, and its loudness; finer where the two songs are alike'
literal\t'Its spectrum in third octaves as it is, within ±6 dB (mid) and ±9 dB (side), and its loudness'
cautious\t'Only what is certain to be mastering and not another song: next to nothing where the songs have little in common'"
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l refine -d 'How thoroughly to fine-tune by test renders' -r -f -a "off\t'No test renders'
fast\t'Two corrections, on up to a minute of the song'
best\t'Corrections until nothing improves'"
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l decider -d 'What decides: the network, simple rules, or nothing (loudness and ceiling only)' -r -f -a "model\t'The ONNX network'
rules\t'Hand-written rules'
none\t'Nothing decides: only loudness and ceiling are applied'"
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l set -d 'Changes one value of the recipe, as in multiband.low.ratio=1.5' -r
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l for -d 'Loudness, ceiling and format for a place; given several times, a master for each' -r -f -a "spotify\t'−14 LUFS, −1 dBTP'
apple-music\t'−16 LUFS, −1 dBTP'
youtube\t'−14 LUFS, −1 dBTP'
tidal\t'−14 LUFS, −1 dBTP'
amazon\t'−14 LUFS, −2 dBTP'
deezer\t'−15 LUFS, −1 dBTP'
cd\t'−10 LUFS, −0.3 dBTP, 44.1 kHz, 16 bit'
club\t'−8 LUFS, −1 dBTP'
broadcast\t'−23 LUFS, −1 dBTP (EBU R 128)'
podcast\t'−16 LUFS, −1 dBTP'
vinyl\t'−16 LUFS, −3 dBTP: mono bass, gentle highs, next to no limiting'"
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l loudness -d 'Integrated loudness in LUFS, or `auto` for what is typical of the target [default: the reference\'s, or -14]' -r
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l ceiling -d 'True peak that is never exceeded, in dBTP [default: -1]' -r
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l max-limiting-db -d 'Gain reduction that the limiter may exceed for 5 % of the time only (single hits); a master that would need more stays quieter [default: 3]' -r
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l rate -d 'Sample rate of the master [default: the mix\'s]' -r
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l bits -d 'Bits per sample of the master [default: 24]' -r -f -a "16\t'16-bit integers, dithered'
24\t'24-bit integers, dithered'
32f\t'32-bit floating point'"
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l bitrate -d 'Bit rate of an MP3 or Opus, in kbit/s [default: 320 for MP3, 160 for Opus]' -r
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l intensity -d 'How much of all changes to apply, %' -r
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l tone -d 'How much equalisation to apply, %' -r
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l dynamics -d 'How much compression and expansion to apply, %' -r
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l width -d 'How much of the change in stereo width to apply, %' -r
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l trim -d 'Cuts silence and noise before the first sound, but for so many milliseconds, and after the last sound' -r
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l fade-in -d 'Fades the head in over so many seconds; shapes are smooth, linear and exponential' -r
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l fade-out -d 'Fades the tail out, as in 8:exponential' -r
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l save-recipe -d 'Writes everything that was decided as JSON, to read, change and render again: `goldmaster render SONG --recipe FILE`' -r -F
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l recipe -d 'As `--save-recipe`, but never over a file that exists: whoever names one wants to render it' -r -F
complete -c goldmaster -n "__fish_goldmaster_needs_command" -s o -l output -d 'File of the master, .wav, .flac, .mp3 or .opus; given several times, the same master in each; with --name a folder [default: SONG.master.wav beside the mix]' -r -F
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l format -d 'File format of the master, where its name does not say it [default: wav]' -r -f -a "wav\t'WAV, or RF64 beyond 4 GiB'
flac\t'FLAC'
mp3\t'MP3'
opus\t'Opus, in Ogg'"
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l name -d 'Name of the master, as in \'{track:02} {title} [{destination}].flac\'' -r
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l delta -d 'Writes only what was taken away or added: the master minus the mix at the same gain' -r -F
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l report -d 'Writes a page to hear and see mix and master: one .html file with everything in it' -r -F
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l report-audio -d 'What the page plays [default: excerpt]' -r -f -a "none\t'Nothing: under 300 kB'
excerpt\t'A typical part of the song and its loudest: under 6 MB'
full\t'The whole song: some 40 MB for four minutes'"
complete -c goldmaster -n "__fish_goldmaster_needs_command" -s g -l genre -d 'A genre to sound like, or `auto` for the one that a song\'s tags name or that it sounds like; `list` shows all [default: auto]' -r
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l strict -d 'Fails and writes nothing when the loudness cannot be reached, the mix is cut off or damaged, or a fade is longer than the song'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l codec-safe -d 'Lowers the ceiling by as much as MP3, Vorbis and Opus raise peaks at this loudness'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -s f -l force -d 'Replaces existing files'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -l json -d 'Prints the report as JSON'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -s q -l quiet -d 'Prints errors only'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -s V -l version -d 'Print version'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -a "analyze" -d 'Measures files and shows what was found'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -a "check" -d 'Checks finished files against what a destination asks for'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -a "profile" -d 'Measures records that you like, to master towards them with `--profile`'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -a "render" -d 'Renders a recipe; on the song that it was made for, the same bytes again'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -a "merge-reports" -d 'Joins the reports of a batch that ran in parts (`--shard`)'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -a "report" -d 'Compares two files, as a mix and its master, on a page to listen and look'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -a "ui" -d 'Opens a page in the browser to master with: drop, listen, choose, export'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -a "demo" -d 'Makes a mix with typical faults and masters it: needs no file'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -a "completions" -d 'Prints completions for a shell'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -a "man" -d 'Prints the manual page'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -a "master" -d 'Masters one song; the same as no command at all'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -a "batch" -d 'Masters many songs or a whole album; goes on where it was interrupted'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -a "variations" -d 'Masters one song in several ways, to hear before choosing'
complete -c goldmaster -n "__fish_goldmaster_needs_command" -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand analyze" -l json -d 'Prints the profiles as JSON, one line per file'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand analyze" -s h -l help -d 'Print help'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand check" -l for -d 'Where they are delivered' -r -f -a "spotify\t'−14 LUFS, −1 dBTP'
apple-music\t'−16 LUFS, −1 dBTP'
youtube\t'−14 LUFS, −1 dBTP'
tidal\t'−14 LUFS, −1 dBTP'
amazon\t'−14 LUFS, −2 dBTP'
deezer\t'−15 LUFS, −1 dBTP'
cd\t'−10 LUFS, −0.3 dBTP, 44.1 kHz, 16 bit'
club\t'−8 LUFS, −1 dBTP'
broadcast\t'−23 LUFS, −1 dBTP (EBU R 128)'
podcast\t'−16 LUFS, −1 dBTP'
vinyl\t'−16 LUFS, −3 dBTP: mono bass, gentle highs, next to no limiting'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand check" -l json -d 'Prints the results as a JSON array, one object per file'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand profile" -s o -l output -d 'File of the profile' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand profile" -l name -d 'Name of the profile in reports [default: the file\'s name]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand profile" -s f -l force -d 'Replaces an existing file'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand profile" -s h -l help -d 'Print help'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand render" -l recipe -d 'The recipe to render, as `--save-recipe` of `goldmaster master` writes it' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand render" -s o -l output -d 'File of the master, .wav, .flac, .mp3 or .opus; given several times, the same master in each; with --name a folder [default: SONG.master.wav beside the mix]' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand render" -l format -d 'File format of the master, where its name does not say it [default: wav]' -r -f -a "wav\t'WAV, or RF64 beyond 4 GiB'
flac\t'FLAC'
mp3\t'MP3'
opus\t'Opus, in Ogg'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand render" -l name -d 'Name of the master, as in \'{track:02} {title} [{destination}].flac\'' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand render" -l delta -d 'Writes only what was taken away or added: the master minus the mix at the same gain' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand render" -l report -d 'Writes a page to hear and see mix and master: one .html file with everything in it' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand render" -l report-audio -d 'What the page plays [default: excerpt]' -r -f -a "none\t'Nothing: under 300 kB'
excerpt\t'A typical part of the song and its loudest: under 6 MB'
full\t'The whole song: some 40 MB for four minutes'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand render" -l set -d 'Changes one value of the recipe, as in multiband.low.ratio=1.5' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand render" -l as-is -d 'Keeps the gain of the recipe even for another mix, instead of finding it anew'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand render" -s f -l force -d 'Replaces existing files'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand render" -l strict -d 'Fails, and writes nothing, when the loudness falls short'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand render" -l json -d 'Prints the report as JSON'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand render" -s q -l quiet -d 'Prints errors only'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand render" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand merge-reports" -s o -l output -d 'File of the joint report; its table gets the same name with .csv [default: report.json beside the first]' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand merge-reports" -s h -l help -d 'Print help'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand report" -s o -l output -d 'File of the page [default: AFTER.html beside the second file]' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand report" -l report-audio -d 'What the page plays [default: excerpt]' -r -f -a "none\t'Nothing: under 300 kB'
excerpt\t'A typical part of the song and its loudest: under 6 MB'
full\t'The whole song: some 40 MB for four minutes'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand report" -s f -l force -d 'Replaces an existing file'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand report" -l json -d 'Prints what was measured as JSON'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand ui" -s r -l reference -d 'A finished record to sound like, or a section of it; more can be dropped on the page' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand ui" -s o -l output -d 'Folder of the masters' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand ui" -l port -d 'Port on this machine [default: one that is free]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand ui" -l no-browser -d 'Prints the address and opens nothing'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand ui" -s h -l help -d 'Print help'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand demo" -s f -l force -d 'Replaces existing files'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand demo" -s h -l help -d 'Print help'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand completions" -s h -l help -d 'Print help'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand man" -s h -l help -d 'Print help'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -s r -l reference -d 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -s p -l profile -d 'A profile of records to sound like, as `goldmaster profile` writes it' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l character -d 'Character of the master, next to its target' -r -f -a "balanced\t''
warm\t''
bright\t''
open\t''
punchy\t''
loud\t''"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l match -d 'Method of following a reference' -r -f -a "balance\t'Its tonal balance and width, octave by octave, and its loudness; finer where the two songs are alike'
literal\t'Its spectrum in third octaves as it is, within ±6 dB (mid) and ±9 dB (side), and its loudness'
cautious\t'Only what is certain to be mastering and not another song: next to nothing where the songs have little in common'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l refine -d 'How thoroughly to fine-tune by test renders' -r -f -a "off\t'No test renders'
fast\t'Two corrections, on up to a minute of the song'
best\t'Corrections until nothing improves'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l decider -d 'What decides: the network, simple rules, or nothing (loudness and ceiling only)' -r -f -a "model\t'The ONNX network'
rules\t'Hand-written rules'
none\t'Nothing decides: only loudness and ceiling are applied'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l set -d 'Changes one value of the recipe, as in multiband.low.ratio=1.5' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l for -d 'Loudness, ceiling and format for a place; given several times, a master for each' -r -f -a "spotify\t'−14 LUFS, −1 dBTP'
apple-music\t'−16 LUFS, −1 dBTP'
youtube\t'−14 LUFS, −1 dBTP'
tidal\t'−14 LUFS, −1 dBTP'
amazon\t'−14 LUFS, −2 dBTP'
deezer\t'−15 LUFS, −1 dBTP'
cd\t'−10 LUFS, −0.3 dBTP, 44.1 kHz, 16 bit'
club\t'−8 LUFS, −1 dBTP'
broadcast\t'−23 LUFS, −1 dBTP (EBU R 128)'
podcast\t'−16 LUFS, −1 dBTP'
vinyl\t'−16 LUFS, −3 dBTP: mono bass, gentle highs, next to no limiting'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l loudness -d 'Integrated loudness in LUFS, or `auto` for what is typical of the target [default: the reference\'s, or -14]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l ceiling -d 'True peak that is never exceeded, in dBTP [default: -1]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l max-limiting-db -d 'Gain reduction that the limiter may exceed for 5 % of the time only (single hits); a master that would need more stays quieter [default: 3]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l rate -d 'Sample rate of the master [default: the mix\'s]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l bits -d 'Bits per sample of the master [default: 24]' -r -f -a "16\t'16-bit integers, dithered'
24\t'24-bit integers, dithered'
32f\t'32-bit floating point'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l bitrate -d 'Bit rate of an MP3 or Opus, in kbit/s [default: 320 for MP3, 160 for Opus]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l intensity -d 'How much of all changes to apply, %' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l tone -d 'How much equalisation to apply, %' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l dynamics -d 'How much compression and expansion to apply, %' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l width -d 'How much of the change in stereo width to apply, %' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l trim -d 'Cuts silence and noise before the first sound, but for so many milliseconds, and after the last sound' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l fade-in -d 'Fades the head in over so many seconds; shapes are smooth, linear and exponential' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l fade-out -d 'Fades the tail out, as in 8:exponential' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l save-recipe -d 'Writes everything that was decided as JSON, to read, change and render again: `goldmaster render SONG --recipe FILE`' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l recipe -d 'As `--save-recipe`, but never over a file that exists: whoever names one wants to render it' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -s o -l output -d 'File of the master, .wav, .flac, .mp3 or .opus; given several times, the same master in each; with --name a folder [default: SONG.master.wav beside the mix]' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l format -d 'File format of the master, where its name does not say it [default: wav]' -r -f -a "wav\t'WAV, or RF64 beyond 4 GiB'
flac\t'FLAC'
mp3\t'MP3'
opus\t'Opus, in Ogg'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l name -d 'Name of the master, as in \'{track:02} {title} [{destination}].flac\'' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l delta -d 'Writes only what was taken away or added: the master minus the mix at the same gain' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l report -d 'Writes a page to hear and see mix and master: one .html file with everything in it' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l report-audio -d 'What the page plays [default: excerpt]' -r -f -a "none\t'Nothing: under 300 kB'
excerpt\t'A typical part of the song and its loudest: under 6 MB'
full\t'The whole song: some 40 MB for four minutes'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -s g -l genre -d 'A genre to sound like, or `auto` for the one that a song\'s tags name or that it sounds like; `list` shows all [default: auto]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l strict -d 'Fails and writes nothing when the loudness cannot be reached, the mix is cut off or damaged, or a fade is longer than the song'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l codec-safe -d 'Lowers the ceiling by as much as MP3, Vorbis and Opus raise peaks at this loudness'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -s f -l force -d 'Replaces existing files'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -l json -d 'Prints the report as JSON'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -s q -l quiet -d 'Prints errors only'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand master" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l plan -d 'A table of songs with settings for each, .csv or .json' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l exclude -d 'Passes over files and folders, as \'*demo*\' or \'live/\'; a .goldmasterignore in a folder has such patterns in its lines' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -s o -l output -d 'Folder for masters and reports; the folders of the input are kept in it' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l name -d 'Names of the masters in their folders, as in \'{track:02} {title} [{destination}]\'' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l genre-reference -d 'A finished record that the songs of a genre should sound like, as in rock=hit.flac; several are weighted, as in rock=hit.flac:0.5. A song has the genre that it is given, that its tags name, or that it sounds like' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l reference-folder -d 'A folder of finished records: each song should sound like the one that is most like it' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -s r -l reference -d 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -s p -l profile -d 'A profile of records to sound like, as `goldmaster profile` writes it' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l character -d 'Character of the master, next to its target' -r -f -a "balanced\t''
warm\t''
bright\t''
open\t''
punchy\t''
loud\t''"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l match -d 'Method of following a reference' -r -f -a "balance\t'Its tonal balance and width, octave by octave, and its loudness; finer where the two songs are alike'
literal\t'Its spectrum in third octaves as it is, within ±6 dB (mid) and ±9 dB (side), and its loudness'
cautious\t'Only what is certain to be mastering and not another song: next to nothing where the songs have little in common'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l refine -d 'How thoroughly to fine-tune by test renders' -r -f -a "off\t'No test renders'
fast\t'Two corrections, on up to a minute of the song'
best\t'Corrections until nothing improves'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l decider -d 'What decides: the network, simple rules, or nothing (loudness and ceiling only)' -r -f -a "model\t'The ONNX network'
rules\t'Hand-written rules'
none\t'Nothing decides: only loudness and ceiling are applied'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l set -d 'Changes one value of the recipe, as in multiband.low.ratio=1.5' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l for -d 'Loudness, ceiling and format for a place; given several times, a master for each' -r -f -a "spotify\t'−14 LUFS, −1 dBTP'
apple-music\t'−16 LUFS, −1 dBTP'
youtube\t'−14 LUFS, −1 dBTP'
tidal\t'−14 LUFS, −1 dBTP'
amazon\t'−14 LUFS, −2 dBTP'
deezer\t'−15 LUFS, −1 dBTP'
cd\t'−10 LUFS, −0.3 dBTP, 44.1 kHz, 16 bit'
club\t'−8 LUFS, −1 dBTP'
broadcast\t'−23 LUFS, −1 dBTP (EBU R 128)'
podcast\t'−16 LUFS, −1 dBTP'
vinyl\t'−16 LUFS, −3 dBTP: mono bass, gentle highs, next to no limiting'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l loudness -d 'Integrated loudness in LUFS, or `auto` for what is typical of the target [default: the reference\'s, or -14]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l ceiling -d 'True peak that is never exceeded, in dBTP [default: -1]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l max-limiting-db -d 'Gain reduction that the limiter may exceed for 5 % of the time only (single hits); a master that would need more stays quieter [default: 3]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l rate -d 'Sample rate of the master [default: the mix\'s]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l bits -d 'Bits per sample of the master [default: 24]' -r -f -a "16\t'16-bit integers, dithered'
24\t'24-bit integers, dithered'
32f\t'32-bit floating point'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l bitrate -d 'Bit rate of an MP3 or Opus, in kbit/s [default: 320 for MP3, 160 for Opus]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l intensity -d 'How much of all changes to apply, %' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l tone -d 'How much equalisation to apply, %' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l dynamics -d 'How much compression and expansion to apply, %' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l width -d 'How much of the change in stereo width to apply, %' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l trim -d 'Cuts silence and noise before the first sound, but for so many milliseconds, and after the last sound' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l fade-in -d 'Fades the head in over so many seconds; shapes are smooth, linear and exponential' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l fade-out -d 'Fades the tail out, as in 8:exponential' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l format -d 'File format of the masters' -r -f -a "wav\t'WAV, or RF64 beyond 4 GiB'
flac\t'FLAC'
mp3\t'MP3'
opus\t'Opus, in Ogg'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l album -d 'The songs are one record: its songs keep their differences in loudness and share one target for their tone. The album as a whole, or its loudest song, is brought to the loudness that is asked for' -r -f -a "whole\t'All songs are one album, which is brought to the loudness played through (BS.1770 over the album)'
loudest\t'All songs are one album, whose loudest song is brought to it, as AES TD1008 wants albums for streaming'
folders\t'Every folder is an album, played through, whose songs have one album title in their tags, or track numbers in tags or names; folders such as "CD1" and "Disc 2" whose tags agree are one. Other songs are mastered as singles'
folders-loudest\t'The same, by the loudest song of each'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l album-balance -d 'Loudness differences between the songs of an album: kept, or evened out' -r -f -a "keep\t'They stay as they are in the mixes'
even\t'Every song is brought to the same loudness'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l cue -d 'Writes a cue sheet and a track list of every album, with so many seconds of silence between its songs' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -s j -l jobs -d 'Songs at once, one thread each [default: as many as there are cores and memory for]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l memory -d 'Memory for all of them together, as in 800M or 4G [default: half of what is free]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l shard -d 'Masters one part of the songs only, as in 3/16: for several machines' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l known-failures -d 'Exit code for a file that failed before in the same way, and has not changed since' -r -f -a "fail\t'The exit code is that of any failure'
ok\t'The exit code is that of the other songs'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l report-audio -d 'What the pages play [default: excerpt]' -r -f -a "none\t'Nothing: under 300 kB'
excerpt\t'A typical part of the song and its loudest: under 6 MB'
full\t'The whole song: some 40 MB for four minutes'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -s g -l genre -d 'A genre to sound like, or `auto` for the one that a song\'s tags name or that it sounds like; `list` shows all [default: auto]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l strict -d 'Fails and writes nothing when the loudness cannot be reached, the mix is cut off or damaged, or a fade is longer than the song'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l codec-safe -d 'Lowers the ceiling by as much as MP3, Vorbis and Opus raise peaks at this loudness'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l reference-from-album -d 'The record is its own reference: songs that stand out move towards the others'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l no-resume -d 'Masters finished songs again'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l resume -d 'Leaves songs alone whose master is there, from the same mix and settings; this is the default'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -s f -l force -d 'Replaces files that no batch has written, and masters that were edited'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l summary -d 'Writes summary-DATE.txt and summary-DATE.json into the output folder, for a mail'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l dry-run -d 'Opens every file, says what would be done, and writes nothing'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -l report -d 'Writes a page for every song beside its master, and index.html of all'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -s q -l quiet -d 'Prints failures only'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand batch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -s r -l reference -d 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -s p -l profile -d 'A profile of records to sound like, as `goldmaster profile` writes it' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l character -d 'Character of the master, next to its target' -r -f -a "balanced\t''
warm\t''
bright\t''
open\t''
punchy\t''
loud\t''"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l match -d 'Method of following a reference' -r -f -a "balance\t'Its tonal balance and width, octave by octave, and its loudness; finer where the two songs are alike'
literal\t'Its spectrum in third octaves as it is, within ±6 dB (mid) and ±9 dB (side), and its loudness'
cautious\t'Only what is certain to be mastering and not another song: next to nothing where the songs have little in common'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l refine -d 'How thoroughly to fine-tune by test renders' -r -f -a "off\t'No test renders'
fast\t'Two corrections, on up to a minute of the song'
best\t'Corrections until nothing improves'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l decider -d 'What decides: the network, simple rules, or nothing (loudness and ceiling only)' -r -f -a "model\t'The ONNX network'
rules\t'Hand-written rules'
none\t'Nothing decides: only loudness and ceiling are applied'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l set -d 'Changes one value of the recipe, as in multiband.low.ratio=1.5' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l for -d 'Loudness, ceiling and format for a place; given several times, a master for each' -r -f -a "spotify\t'−14 LUFS, −1 dBTP'
apple-music\t'−16 LUFS, −1 dBTP'
youtube\t'−14 LUFS, −1 dBTP'
tidal\t'−14 LUFS, −1 dBTP'
amazon\t'−14 LUFS, −2 dBTP'
deezer\t'−15 LUFS, −1 dBTP'
cd\t'−10 LUFS, −0.3 dBTP, 44.1 kHz, 16 bit'
club\t'−8 LUFS, −1 dBTP'
broadcast\t'−23 LUFS, −1 dBTP (EBU R 128)'
podcast\t'−16 LUFS, −1 dBTP'
vinyl\t'−16 LUFS, −3 dBTP: mono bass, gentle highs, next to no limiting'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l loudness -d 'Integrated loudness in LUFS, or `auto` for what is typical of the target [default: the reference\'s, or -14]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l ceiling -d 'True peak that is never exceeded, in dBTP [default: -1]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l max-limiting-db -d 'Gain reduction that the limiter may exceed for 5 % of the time only (single hits); a master that would need more stays quieter [default: 3]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l rate -d 'Sample rate of the master [default: the mix\'s]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l bits -d 'Bits per sample of the master [default: 24]' -r -f -a "16\t'16-bit integers, dithered'
24\t'24-bit integers, dithered'
32f\t'32-bit floating point'"
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l bitrate -d 'Bit rate of an MP3 or Opus, in kbit/s [default: 320 for MP3, 160 for Opus]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l intensity -d 'How much of all changes to apply, %' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l tone -d 'How much equalisation to apply, %' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l dynamics -d 'How much compression and expansion to apply, %' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l width -d 'How much of the change in stereo width to apply, %' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l trim -d 'Cuts silence and noise before the first sound, but for so many milliseconds, and after the last sound' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l fade-in -d 'Fades the head in over so many seconds; shapes are smooth, linear and exponential' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l fade-out -d 'Fades the tail out, as in 8:exponential' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -s o -l output -d 'The page, .html [default: SONG.variations.html beside the mix]' -r -F
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -s g -l genre -d 'A genre to sound like, or `auto` for the one that a song\'s tags name or that it sounds like; `list` shows all [default: auto]' -r
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l strict -d 'Fails and writes nothing when the loudness cannot be reached, the mix is cut off or damaged, or a fade is longer than the song'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l codec-safe -d 'Lowers the ceiling by as much as MP3, Vorbis and Opus raise peaks at this loudness'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -s f -l force -d 'Replaces an existing page'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -l json -d 'Prints how the masters compare as JSON'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand variations" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand help; and not __fish_seen_subcommand_from analyze check profile render merge-reports report ui demo completions man master batch variations help" -f -a "analyze" -d 'Measures files and shows what was found'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand help; and not __fish_seen_subcommand_from analyze check profile render merge-reports report ui demo completions man master batch variations help" -f -a "check" -d 'Checks finished files against what a destination asks for'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand help; and not __fish_seen_subcommand_from analyze check profile render merge-reports report ui demo completions man master batch variations help" -f -a "profile" -d 'Measures records that you like, to master towards them with `--profile`'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand help; and not __fish_seen_subcommand_from analyze check profile render merge-reports report ui demo completions man master batch variations help" -f -a "render" -d 'Renders a recipe; on the song that it was made for, the same bytes again'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand help; and not __fish_seen_subcommand_from analyze check profile render merge-reports report ui demo completions man master batch variations help" -f -a "merge-reports" -d 'Joins the reports of a batch that ran in parts (`--shard`)'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand help; and not __fish_seen_subcommand_from analyze check profile render merge-reports report ui demo completions man master batch variations help" -f -a "report" -d 'Compares two files, as a mix and its master, on a page to listen and look'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand help; and not __fish_seen_subcommand_from analyze check profile render merge-reports report ui demo completions man master batch variations help" -f -a "ui" -d 'Opens a page in the browser to master with: drop, listen, choose, export'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand help; and not __fish_seen_subcommand_from analyze check profile render merge-reports report ui demo completions man master batch variations help" -f -a "demo" -d 'Makes a mix with typical faults and masters it: needs no file'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand help; and not __fish_seen_subcommand_from analyze check profile render merge-reports report ui demo completions man master batch variations help" -f -a "completions" -d 'Prints completions for a shell'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand help; and not __fish_seen_subcommand_from analyze check profile render merge-reports report ui demo completions man master batch variations help" -f -a "man" -d 'Prints the manual page'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand help; and not __fish_seen_subcommand_from analyze check profile render merge-reports report ui demo completions man master batch variations help" -f -a "master" -d 'Masters one song; the same as no command at all'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand help; and not __fish_seen_subcommand_from analyze check profile render merge-reports report ui demo completions man master batch variations help" -f -a "batch" -d 'Masters many songs or a whole album; goes on where it was interrupted'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand help; and not __fish_seen_subcommand_from analyze check profile render merge-reports report ui demo completions man master batch variations help" -f -a "variations" -d 'Masters one song in several ways, to hear before choosing'
complete -c goldmaster -n "__fish_goldmaster_using_subcommand help; and not __fish_seen_subcommand_from analyze check profile render merge-reports report ui demo completions man master batch variations help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
