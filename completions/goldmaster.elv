
use builtin;
use str;

set edit:completion:arg-completer[goldmaster] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'goldmaster'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'goldmaster'= {
            cand -r 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35'
            cand --reference 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35'
            cand -p 'A profile of records to sound like, as `goldmaster profile` writes it'
            cand --profile 'A profile of records to sound like, as `goldmaster profile` writes it'
            cand --character 'Character of the master, next to its target'
            cand --match 'Method of following a reference'
            cand --refine 'How thoroughly to fine-tune by test renders'
            cand --decider 'What decides: the network, simple rules, or nothing (loudness and ceiling only)'
            cand --set 'Changes one value of the recipe, as in multiband.low.ratio=1.5'
            cand --for 'Loudness, ceiling and format for a place; given several times, a master for each'
            cand --loudness 'Integrated loudness in LUFS, or `auto` for what is typical of the target [default: the reference''s, or -14]'
            cand --ceiling 'True peak that is never exceeded, in dBTP [default: -1]'
            cand --max-limiting-db 'Gain reduction that the limiter may exceed for 5 % of the time only (single hits); a master that would need more stays quieter [default: 3]'
            cand --rate 'Sample rate of the master [default: the mix''s]'
            cand --bits 'Bits per sample of the master [default: 24]'
            cand --bitrate 'Bit rate of an MP3 or Opus, in kbit/s [default: 320 for MP3, 160 for Opus]'
            cand --intensity 'How much of all changes to apply, %'
            cand --tone 'How much equalisation to apply, %'
            cand --dynamics 'How much compression and expansion to apply, %'
            cand --width 'How much of the change in stereo width to apply, %'
            cand --trim 'Cuts silence and noise before the first sound, but for so many milliseconds, and after the last sound'
            cand --fade-in 'Fades the head in over so many seconds; shapes are smooth, linear and exponential'
            cand --fade-out 'Fades the tail out, as in 8:exponential'
            cand --save-recipe 'Writes everything that was decided as JSON, to read, change and render again: `goldmaster render SONG --recipe FILE`'
            cand --recipe 'As `--save-recipe`, but never over a file that exists: whoever names one wants to render it'
            cand -o 'File of the master, .wav, .flac, .mp3 or .opus; given several times, the same master in each; with --name a folder [default: SONG.master.wav beside the mix]'
            cand --output 'File of the master, .wav, .flac, .mp3 or .opus; given several times, the same master in each; with --name a folder [default: SONG.master.wav beside the mix]'
            cand --format 'File format of the master, where its name does not say it [default: wav]'
            cand --name 'Name of the master, as in ''{track:02} {title} [{destination}].flac'''
            cand --delta 'Writes only what was taken away or added: the master minus the mix at the same gain'
            cand --report 'Writes a page to hear and see mix and master: one .html file with everything in it'
            cand --report-audio 'What the page plays [default: excerpt]'
            cand -g 'A genre to sound like, or `auto` for the one that a song''s tags name or that it sounds like; `list` shows all [default: auto]'
            cand --genre 'A genre to sound like, or `auto` for the one that a song''s tags name or that it sounds like; `list` shows all [default: auto]'
            cand --strict 'Fails and writes nothing when the loudness cannot be reached, the mix is cut off or damaged, or a fade is longer than the song'
            cand --codec-safe 'Lowers the ceiling by as much as MP3, Vorbis and Opus raise peaks at this loudness'
            cand -f 'Replaces existing files'
            cand --force 'Replaces existing files'
            cand --json 'Prints the report as JSON'
            cand -q 'Prints errors only'
            cand --quiet 'Prints errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand analyze 'Measures files and shows what was found'
            cand check 'Checks finished files against what a destination asks for'
            cand profile 'Measures records that you like, to master towards them with `--profile`'
            cand render 'Renders a recipe; on the song that it was made for, the same bytes again'
            cand merge-reports 'Joins the reports of a batch that ran in parts (`--shard`)'
            cand report 'Compares two files, as a mix and its master, on a page to listen and look'
            cand ui 'Opens a page in the browser to master with: drop, listen, choose, export'
            cand demo 'Makes a mix with typical faults and masters it: needs no file'
            cand completions 'Prints completions for a shell'
            cand man 'Prints the manual page'
            cand master 'Masters one song; the same as no command at all'
            cand batch 'Masters many songs or a whole album; goes on where it was interrupted'
            cand variations 'Masters one song in several ways, to hear before choosing'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'goldmaster;analyze'= {
            cand --json 'Prints the profiles as JSON, one line per file'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'goldmaster;check'= {
            cand --for 'Where they are delivered'
            cand --json 'Prints the results as a JSON array, one object per file'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'goldmaster;profile'= {
            cand -o 'File of the profile'
            cand --output 'File of the profile'
            cand --name 'Name of the profile in reports [default: the file''s name]'
            cand -f 'Replaces an existing file'
            cand --force 'Replaces an existing file'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'goldmaster;render'= {
            cand --recipe 'The recipe to render, as `--save-recipe` of `goldmaster master` writes it'
            cand -o 'File of the master, .wav, .flac, .mp3 or .opus; given several times, the same master in each; with --name a folder [default: SONG.master.wav beside the mix]'
            cand --output 'File of the master, .wav, .flac, .mp3 or .opus; given several times, the same master in each; with --name a folder [default: SONG.master.wav beside the mix]'
            cand --format 'File format of the master, where its name does not say it [default: wav]'
            cand --name 'Name of the master, as in ''{track:02} {title} [{destination}].flac'''
            cand --delta 'Writes only what was taken away or added: the master minus the mix at the same gain'
            cand --report 'Writes a page to hear and see mix and master: one .html file with everything in it'
            cand --report-audio 'What the page plays [default: excerpt]'
            cand --set 'Changes one value of the recipe, as in multiband.low.ratio=1.5'
            cand --as-is 'Keeps the gain of the recipe even for another mix, instead of finding it anew'
            cand -f 'Replaces existing files'
            cand --force 'Replaces existing files'
            cand --strict 'Fails, and writes nothing, when the loudness falls short'
            cand --json 'Prints the report as JSON'
            cand -q 'Prints errors only'
            cand --quiet 'Prints errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'goldmaster;merge-reports'= {
            cand -o 'File of the joint report; its table gets the same name with .csv [default: report.json beside the first]'
            cand --output 'File of the joint report; its table gets the same name with .csv [default: report.json beside the first]'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'goldmaster;report'= {
            cand -o 'File of the page [default: AFTER.html beside the second file]'
            cand --output 'File of the page [default: AFTER.html beside the second file]'
            cand --report-audio 'What the page plays [default: excerpt]'
            cand -f 'Replaces an existing file'
            cand --force 'Replaces an existing file'
            cand --json 'Prints what was measured as JSON'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'goldmaster;ui'= {
            cand -r 'A finished record to sound like, or a section of it; more can be dropped on the page'
            cand --reference 'A finished record to sound like, or a section of it; more can be dropped on the page'
            cand -o 'Folder of the masters'
            cand --output 'Folder of the masters'
            cand --port 'Port on this machine [default: one that is free]'
            cand --no-browser 'Prints the address and opens nothing'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'goldmaster;demo'= {
            cand -f 'Replaces existing files'
            cand --force 'Replaces existing files'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'goldmaster;completions'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'goldmaster;man'= {
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'goldmaster;master'= {
            cand -r 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35'
            cand --reference 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35'
            cand -p 'A profile of records to sound like, as `goldmaster profile` writes it'
            cand --profile 'A profile of records to sound like, as `goldmaster profile` writes it'
            cand --character 'Character of the master, next to its target'
            cand --match 'Method of following a reference'
            cand --refine 'How thoroughly to fine-tune by test renders'
            cand --decider 'What decides: the network, simple rules, or nothing (loudness and ceiling only)'
            cand --set 'Changes one value of the recipe, as in multiband.low.ratio=1.5'
            cand --for 'Loudness, ceiling and format for a place; given several times, a master for each'
            cand --loudness 'Integrated loudness in LUFS, or `auto` for what is typical of the target [default: the reference''s, or -14]'
            cand --ceiling 'True peak that is never exceeded, in dBTP [default: -1]'
            cand --max-limiting-db 'Gain reduction that the limiter may exceed for 5 % of the time only (single hits); a master that would need more stays quieter [default: 3]'
            cand --rate 'Sample rate of the master [default: the mix''s]'
            cand --bits 'Bits per sample of the master [default: 24]'
            cand --bitrate 'Bit rate of an MP3 or Opus, in kbit/s [default: 320 for MP3, 160 for Opus]'
            cand --intensity 'How much of all changes to apply, %'
            cand --tone 'How much equalisation to apply, %'
            cand --dynamics 'How much compression and expansion to apply, %'
            cand --width 'How much of the change in stereo width to apply, %'
            cand --trim 'Cuts silence and noise before the first sound, but for so many milliseconds, and after the last sound'
            cand --fade-in 'Fades the head in over so many seconds; shapes are smooth, linear and exponential'
            cand --fade-out 'Fades the tail out, as in 8:exponential'
            cand --save-recipe 'Writes everything that was decided as JSON, to read, change and render again: `goldmaster render SONG --recipe FILE`'
            cand --recipe 'As `--save-recipe`, but never over a file that exists: whoever names one wants to render it'
            cand -o 'File of the master, .wav, .flac, .mp3 or .opus; given several times, the same master in each; with --name a folder [default: SONG.master.wav beside the mix]'
            cand --output 'File of the master, .wav, .flac, .mp3 or .opus; given several times, the same master in each; with --name a folder [default: SONG.master.wav beside the mix]'
            cand --format 'File format of the master, where its name does not say it [default: wav]'
            cand --name 'Name of the master, as in ''{track:02} {title} [{destination}].flac'''
            cand --delta 'Writes only what was taken away or added: the master minus the mix at the same gain'
            cand --report 'Writes a page to hear and see mix and master: one .html file with everything in it'
            cand --report-audio 'What the page plays [default: excerpt]'
            cand -g 'A genre to sound like, or `auto` for the one that a song''s tags name or that it sounds like; `list` shows all [default: auto]'
            cand --genre 'A genre to sound like, or `auto` for the one that a song''s tags name or that it sounds like; `list` shows all [default: auto]'
            cand --strict 'Fails and writes nothing when the loudness cannot be reached, the mix is cut off or damaged, or a fade is longer than the song'
            cand --codec-safe 'Lowers the ceiling by as much as MP3, Vorbis and Opus raise peaks at this loudness'
            cand -f 'Replaces existing files'
            cand --force 'Replaces existing files'
            cand --json 'Prints the report as JSON'
            cand -q 'Prints errors only'
            cand --quiet 'Prints errors only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'goldmaster;batch'= {
            cand --plan 'A table of songs with settings for each, .csv or .json'
            cand --exclude 'Passes over files and folders, as ''*demo*'' or ''live/''; a .goldmasterignore in a folder has such patterns in its lines'
            cand -o 'Folder for masters and reports; the folders of the input are kept in it'
            cand --output 'Folder for masters and reports; the folders of the input are kept in it'
            cand --name 'Names of the masters in their folders, as in ''{track:02} {title} [{destination}]'''
            cand --genre-reference 'A finished record that the songs of a genre should sound like, as in rock=hit.flac; several are weighted, as in rock=hit.flac:0.5. A song has the genre that it is given, that its tags name, or that it sounds like'
            cand --reference-folder 'A folder of finished records: each song should sound like the one that is most like it'
            cand -r 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35'
            cand --reference 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35'
            cand -p 'A profile of records to sound like, as `goldmaster profile` writes it'
            cand --profile 'A profile of records to sound like, as `goldmaster profile` writes it'
            cand --character 'Character of the master, next to its target'
            cand --match 'Method of following a reference'
            cand --refine 'How thoroughly to fine-tune by test renders'
            cand --decider 'What decides: the network, simple rules, or nothing (loudness and ceiling only)'
            cand --set 'Changes one value of the recipe, as in multiband.low.ratio=1.5'
            cand --for 'Loudness, ceiling and format for a place; given several times, a master for each'
            cand --loudness 'Integrated loudness in LUFS, or `auto` for what is typical of the target [default: the reference''s, or -14]'
            cand --ceiling 'True peak that is never exceeded, in dBTP [default: -1]'
            cand --max-limiting-db 'Gain reduction that the limiter may exceed for 5 % of the time only (single hits); a master that would need more stays quieter [default: 3]'
            cand --rate 'Sample rate of the master [default: the mix''s]'
            cand --bits 'Bits per sample of the master [default: 24]'
            cand --bitrate 'Bit rate of an MP3 or Opus, in kbit/s [default: 320 for MP3, 160 for Opus]'
            cand --intensity 'How much of all changes to apply, %'
            cand --tone 'How much equalisation to apply, %'
            cand --dynamics 'How much compression and expansion to apply, %'
            cand --width 'How much of the change in stereo width to apply, %'
            cand --trim 'Cuts silence and noise before the first sound, but for so many milliseconds, and after the last sound'
            cand --fade-in 'Fades the head in over so many seconds; shapes are smooth, linear and exponential'
            cand --fade-out 'Fades the tail out, as in 8:exponential'
            cand --format 'File format of the masters'
            cand --album 'The songs are one record: its songs keep their differences in loudness and share one target for their tone. The album as a whole, or its loudest song, is brought to the loudness that is asked for'
            cand --album-balance 'Loudness differences between the songs of an album: kept, or evened out'
            cand --cue 'Writes a cue sheet and a track list of every album, with so many seconds of silence between its songs'
            cand -j 'Songs at once, one thread each [default: as many as there are cores and memory for]'
            cand --jobs 'Songs at once, one thread each [default: as many as there are cores and memory for]'
            cand --memory 'Memory for all of them together, as in 800M or 4G [default: half of what is free]'
            cand --shard 'Masters one part of the songs only, as in 3/16: for several machines'
            cand --known-failures 'Exit code for a file that failed before in the same way, and has not changed since'
            cand --report-audio 'What the pages play [default: excerpt]'
            cand -g 'A genre to sound like, or `auto` for the one that a song''s tags name or that it sounds like; `list` shows all [default: auto]'
            cand --genre 'A genre to sound like, or `auto` for the one that a song''s tags name or that it sounds like; `list` shows all [default: auto]'
            cand --strict 'Fails and writes nothing when the loudness cannot be reached, the mix is cut off or damaged, or a fade is longer than the song'
            cand --codec-safe 'Lowers the ceiling by as much as MP3, Vorbis and Opus raise peaks at this loudness'
            cand --reference-from-album 'The record is its own reference: songs that stand out move towards the others'
            cand --no-resume 'Masters finished songs again'
            cand --resume 'Leaves songs alone whose master is there, from the same mix and settings; this is the default'
            cand -f 'Replaces files that no batch has written, and masters that were edited'
            cand --force 'Replaces files that no batch has written, and masters that were edited'
            cand --summary 'Writes summary-DATE.txt and summary-DATE.json into the output folder, for a mail'
            cand --dry-run 'Opens every file, says what would be done, and writes nothing'
            cand --report 'Writes a page for every song beside its master, and index.html of all'
            cand -q 'Prints failures only'
            cand --quiet 'Prints failures only'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'goldmaster;variations'= {
            cand -r 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35'
            cand --reference 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35'
            cand -p 'A profile of records to sound like, as `goldmaster profile` writes it'
            cand --profile 'A profile of records to sound like, as `goldmaster profile` writes it'
            cand --character 'Character of the master, next to its target'
            cand --match 'Method of following a reference'
            cand --refine 'How thoroughly to fine-tune by test renders'
            cand --decider 'What decides: the network, simple rules, or nothing (loudness and ceiling only)'
            cand --set 'Changes one value of the recipe, as in multiband.low.ratio=1.5'
            cand --for 'Loudness, ceiling and format for a place; given several times, a master for each'
            cand --loudness 'Integrated loudness in LUFS, or `auto` for what is typical of the target [default: the reference''s, or -14]'
            cand --ceiling 'True peak that is never exceeded, in dBTP [default: -1]'
            cand --max-limiting-db 'Gain reduction that the limiter may exceed for 5 % of the time only (single hits); a master that would need more stays quieter [default: 3]'
            cand --rate 'Sample rate of the master [default: the mix''s]'
            cand --bits 'Bits per sample of the master [default: 24]'
            cand --bitrate 'Bit rate of an MP3 or Opus, in kbit/s [default: 320 for MP3, 160 for Opus]'
            cand --intensity 'How much of all changes to apply, %'
            cand --tone 'How much equalisation to apply, %'
            cand --dynamics 'How much compression and expansion to apply, %'
            cand --width 'How much of the change in stereo width to apply, %'
            cand --trim 'Cuts silence and noise before the first sound, but for so many milliseconds, and after the last sound'
            cand --fade-in 'Fades the head in over so many seconds; shapes are smooth, linear and exponential'
            cand --fade-out 'Fades the tail out, as in 8:exponential'
            cand -o 'The page, .html [default: SONG.variations.html beside the mix]'
            cand --output 'The page, .html [default: SONG.variations.html beside the mix]'
            cand -g 'A genre to sound like, or `auto` for the one that a song''s tags name or that it sounds like; `list` shows all [default: auto]'
            cand --genre 'A genre to sound like, or `auto` for the one that a song''s tags name or that it sounds like; `list` shows all [default: auto]'
            cand --strict 'Fails and writes nothing when the loudness cannot be reached, the mix is cut off or damaged, or a fade is longer than the song'
            cand --codec-safe 'Lowers the ceiling by as much as MP3, Vorbis and Opus raise peaks at this loudness'
            cand -f 'Replaces an existing page'
            cand --force 'Replaces an existing page'
            cand --json 'Prints how the masters compare as JSON'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'goldmaster;help'= {
            cand analyze 'Measures files and shows what was found'
            cand check 'Checks finished files against what a destination asks for'
            cand profile 'Measures records that you like, to master towards them with `--profile`'
            cand render 'Renders a recipe; on the song that it was made for, the same bytes again'
            cand merge-reports 'Joins the reports of a batch that ran in parts (`--shard`)'
            cand report 'Compares two files, as a mix and its master, on a page to listen and look'
            cand ui 'Opens a page in the browser to master with: drop, listen, choose, export'
            cand demo 'Makes a mix with typical faults and masters it: needs no file'
            cand completions 'Prints completions for a shell'
            cand man 'Prints the manual page'
            cand master 'Masters one song; the same as no command at all'
            cand batch 'Masters many songs or a whole album; goes on where it was interrupted'
            cand variations 'Masters one song in several ways, to hear before choosing'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'goldmaster;help;analyze'= {
        }
        &'goldmaster;help;check'= {
        }
        &'goldmaster;help;profile'= {
        }
        &'goldmaster;help;render'= {
        }
        &'goldmaster;help;merge-reports'= {
        }
        &'goldmaster;help;report'= {
        }
        &'goldmaster;help;ui'= {
        }
        &'goldmaster;help;demo'= {
        }
        &'goldmaster;help;completions'= {
        }
        &'goldmaster;help;man'= {
        }
        &'goldmaster;help;master'= {
        }
        &'goldmaster;help;batch'= {
        }
        &'goldmaster;help;variations'= {
        }
        &'goldmaster;help;help'= {
        }
    ]
    $completions[$command]
}
