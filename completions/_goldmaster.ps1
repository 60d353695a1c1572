
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'goldmaster' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'goldmaster'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'goldmaster' {
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35')
            [CompletionResult]::new('--reference', '--reference', [CompletionResultType]::ParameterName, 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'A profile of records to sound like, as `goldmaster profile` writes it')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'A profile of records to sound like, as `goldmaster profile` writes it')
            [CompletionResult]::new('--character', '--character', [CompletionResultType]::ParameterName, 'Character of the master, next to its target')
            [CompletionResult]::new('--match', '--match', [CompletionResultType]::ParameterName, 'Method of following a reference')
            [CompletionResult]::new('--refine', '--refine', [CompletionResultType]::ParameterName, 'How thoroughly to fine-tune by test renders')
            [CompletionResult]::new('--decider', '--decider', [CompletionResultType]::ParameterName, 'What decides: the network, simple rules, or nothing (loudness and ceiling only)')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'Changes one value of the recipe, as in multiband.low.ratio=1.5')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Loudness, ceiling and format for a place; given several times, a master for each')
            [CompletionResult]::new('--loudness', '--loudness', [CompletionResultType]::ParameterName, 'Integrated loudness in LUFS, or `auto` for what is typical of the target [default: the reference''s, or -14]')
            [CompletionResult]::new('--ceiling', '--ceiling', [CompletionResultType]::ParameterName, 'True peak that is never exceeded, in dBTP [default: -1]')
            [CompletionResult]::new('--max-limiting-db', '--max-limiting-db', [CompletionResultType]::ParameterName, 'Gain reduction that the limiter may exceed for 5 % of the time only (single hits); a master that would need more stays quieter [default: 3]')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Sample rate of the master [default: the mix''s]')
            [CompletionResult]::new('--bits', '--bits', [CompletionResultType]::ParameterName, 'Bits per sample of the master [default: 24]')
            [CompletionResult]::new('--bitrate', '--bitrate', [CompletionResultType]::ParameterName, 'Bit rate of an MP3 or Opus, in kbit/s [default: 320 for MP3, 160 for Opus]')
            [CompletionResult]::new('--intensity', '--intensity', [CompletionResultType]::ParameterName, 'How much of all changes to apply, %')
            [CompletionResult]::new('--tone', '--tone', [CompletionResultType]::ParameterName, 'How much equalisation to apply, %')
            [CompletionResult]::new('--dynamics', '--dynamics', [CompletionResultType]::ParameterName, 'How much compression and expansion to apply, %')
            [CompletionResult]::new('--width', '--width', [CompletionResultType]::ParameterName, 'How much of the change in stereo width to apply, %')
            [CompletionResult]::new('--trim', '--trim', [CompletionResultType]::ParameterName, 'Cuts silence and noise before the first sound, but for so many milliseconds, and after the last sound')
            [CompletionResult]::new('--fade-in', '--fade-in', [CompletionResultType]::ParameterName, 'Fades the head in over so many seconds; shapes are smooth, linear and exponential')
            [CompletionResult]::new('--fade-out', '--fade-out', [CompletionResultType]::ParameterName, 'Fades the tail out, as in 8:exponential')
            [CompletionResult]::new('--save-recipe', '--save-recipe', [CompletionResultType]::ParameterName, 'Writes everything that was decided as JSON, to read, change and render again: `goldmaster render SONG --recipe FILE`')
            [CompletionResult]::new('--recipe', '--recipe', [CompletionResultType]::ParameterName, 'As `--save-recipe`, but never over a file that exists: whoever names one wants to render it')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'File of the master, .wav, .flac, .mp3 or .opus; given several times, the same master in each; with --name a folder [default: SONG.master.wav beside the mix]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'File of the master, .wav, .flac, .mp3 or .opus; given several times, the same master in each; with --name a folder [default: SONG.master.wav beside the mix]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'File format of the master, where its name does not say it [default: wav]')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the master, as in ''{track:02} {title} [{destination}].flac''')
            [CompletionResult]::new('--delta', '--delta', [CompletionResultType]::ParameterName, 'Writes only what was taken away or added: the master minus the mix at the same gain')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Writes a page to hear and see mix and master: one .html file with everything in it')
            [CompletionResult]::new('--report-audio', '--report-audio', [CompletionResultType]::ParameterName, 'What the page plays [default: excerpt]')
            [CompletionResult]::new('-g', '-g', [CompletionResultType]::ParameterName, 'A genre to sound like, or `auto` for the one that a song''s tags name or that it sounds like; `list` shows all [default: auto]')
            [CompletionResult]::new('--genre', '--genre', [CompletionResultType]::ParameterName, 'A genre to sound like, or `auto` for the one that a song''s tags name or that it sounds like; `list` shows all [default: auto]')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Fails and writes nothing when the loudness cannot be reached, the mix is cut off or damaged, or a fade is longer than the song')
            [CompletionResult]::new('--codec-safe', '--codec-safe', [CompletionResultType]::ParameterName, 'Lowers the ceiling by as much as MP3, Vorbis and Opus raise peaks at this loudness')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Replaces existing files')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replaces existing files')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints the report as JSON')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Prints errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Prints errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('analyze', 'analyze', [CompletionResultType]::ParameterValue, 'Measures files and shows what was found')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Checks finished files against what a destination asks for')
            [CompletionResult]::new('profile', 'profile', [CompletionResultType]::ParameterValue, 'Measures records that you like, to master towards them with `--profile`')
            [CompletionResult]::new('render', 'render', [CompletionResultType]::ParameterValue, 'Renders a recipe; on the song that it was made for, the same bytes again')
            [CompletionResult]::new('merge-reports', 'merge-reports', [CompletionResultType]::ParameterValue, 'Joins the reports of a batch that ran in parts (`--shard`)')
            [CompletionResult]::new('report', 'report', [CompletionResultType]::ParameterValue, 'Compares two files, as a mix and its master, on a page to listen and look')
            [CompletionResult]::new('ui', 'ui', [CompletionResultType]::ParameterValue, 'Opens a page in the browser to master with: drop, listen, choose, export')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Makes a mix with typical faults and masters it: needs no file')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Prints completions for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Prints the manual page')
            [CompletionResult]::new('master', 'master', [CompletionResultType]::ParameterValue, 'Masters one song; the same as no command at all')
            [CompletionResult]::new('batch', 'batch', [CompletionResultType]::ParameterValue, 'Masters many songs or a whole album; goes on where it was interrupted')
            [CompletionResult]::new('variations', 'variations', [CompletionResultType]::ParameterValue, 'Masters one song in several ways, to hear before choosing')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'goldmaster;analyze' {
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints the profiles as JSON, one line per file')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'goldmaster;check' {
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Where they are delivered')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints the results as a JSON array, one object per file')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'goldmaster;profile' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'File of the profile')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'File of the profile')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the profile in reports [default: the file''s name]')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Replaces an existing file')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replaces an existing file')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'goldmaster;render' {
            [CompletionResult]::new('--recipe', '--recipe', [CompletionResultType]::ParameterName, 'The recipe to render, as `--save-recipe` of `goldmaster master` writes it')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'File of the master, .wav, .flac, .mp3 or .opus; given several times, the same master in each; with --name a folder [default: SONG.master.wav beside the mix]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'File of the master, .wav, .flac, .mp3 or .opus; given several times, the same master in each; with --name a folder [default: SONG.master.wav beside the mix]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'File format of the master, where its name does not say it [default: wav]')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the master, as in ''{track:02} {title} [{destination}].flac''')
            [CompletionResult]::new('--delta', '--delta', [CompletionResultType]::ParameterName, 'Writes only what was taken away or added: the master minus the mix at the same gain')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Writes a page to hear and see mix and master: one .html file with everything in it')
            [CompletionResult]::new('--report-audio', '--report-audio', [CompletionResultType]::ParameterName, 'What the page plays [default: excerpt]')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'Changes one value of the recipe, as in multiband.low.ratio=1.5')
            [CompletionResult]::new('--as-is', '--as-is', [CompletionResultType]::ParameterName, 'Keeps the gain of the recipe even for another mix, instead of finding it anew')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Replaces existing files')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replaces existing files')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Fails, and writes nothing, when the loudness falls short')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints the report as JSON')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Prints errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Prints errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'goldmaster;merge-reports' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'File of the joint report; its table gets the same name with .csv [default: report.json beside the first]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'File of the joint report; its table gets the same name with .csv [default: report.json beside the first]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'goldmaster;report' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'File of the page [default: AFTER.html beside the second file]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'File of the page [default: AFTER.html beside the second file]')
            [CompletionResult]::new('--report-audio', '--report-audio', [CompletionResultType]::ParameterName, 'What the page plays [default: excerpt]')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Replaces an existing file')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replaces an existing file')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints what was measured as JSON')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'goldmaster;ui' {
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'A finished record to sound like, or a section of it; more can be dropped on the page')
            [CompletionResult]::new('--reference', '--reference', [CompletionResultType]::ParameterName, 'A finished record to sound like, or a section of it; more can be dropped on the page')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Folder of the masters')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Folder of the masters')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'Port on this machine [default: one that is free]')
            [CompletionResult]::new('--no-browser', '--no-browser', [CompletionResultType]::ParameterName, 'Prints the address and opens nothing')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'goldmaster;demo' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Replaces existing files')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replaces existing files')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'goldmaster;completions' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'goldmaster;man' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'goldmaster;master' {
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35')
            [CompletionResult]::new('--reference', '--reference', [CompletionResultType]::ParameterName, 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'A profile of records to sound like, as `goldmaster profile` writes it')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'A profile of records to sound like, as `goldmaster profile` writes it')
            [CompletionResult]::new('--character', '--character', [CompletionResultType]::ParameterName, 'Character of the master, next to its target')
            [CompletionResult]::new('--match', '--match', [CompletionResultType]::ParameterName, 'Method of following a reference')
            [CompletionResult]::new('--refine', '--refine', [CompletionResultType]::ParameterName, 'How thoroughly to fine-tune by test renders')
            [CompletionResult]::new('--decider', '--decider', [CompletionResultType]::ParameterName, 'What decides: the network, simple rules, or nothing (loudness and ceiling only)')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'Changes one value of the recipe, as in multiband.low.ratio=1.5')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Loudness, ceiling and format for a place; given several times, a master for each')
            [CompletionResult]::new('--loudness', '--loudness', [CompletionResultType]::ParameterName, 'Integrated loudness in LUFS, or `auto` for what is typical of the target [default: the reference''s, or -14]')
            [CompletionResult]::new('--ceiling', '--ceiling', [CompletionResultType]::ParameterName, 'True peak that is never exceeded, in dBTP [default: -1]')
            [CompletionResult]::new('--max-limiting-db', '--max-limiting-db', [CompletionResultType]::ParameterName, 'Gain reduction that the limiter may exceed for 5 % of the time only (single hits); a master that would need more stays quieter [default: 3]')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Sample rate of the master [default: the mix''s]')
            [CompletionResult]::new('--bits', '--bits', [CompletionResultType]::ParameterName, 'Bits per sample of the master [default: 24]')
            [CompletionResult]::new('--bitrate', '--bitrate', [CompletionResultType]::ParameterName, 'Bit rate of an MP3 or Opus, in kbit/s [default: 320 for MP3, 160 for Opus]')
            [CompletionResult]::new('--intensity', '--intensity', [CompletionResultType]::ParameterName, 'How much of all changes to apply, %')
            [CompletionResult]::new('--tone', '--tone', [CompletionResultType]::ParameterName, 'How much equalisation to apply, %')
            [CompletionResult]::new('--dynamics', '--dynamics', [CompletionResultType]::ParameterName, 'How much compression and expansion to apply, %')
            [CompletionResult]::new('--width', '--width', [CompletionResultType]::ParameterName, 'How much of the change in stereo width to apply, %')
            [CompletionResult]::new('--trim', '--trim', [CompletionResultType]::ParameterName, 'Cuts silence and noise before the first sound, but for so many milliseconds, and after the last sound')
            [CompletionResult]::new('--fade-in', '--fade-in', [CompletionResultType]::ParameterName, 'Fades the head in over so many seconds; shapes are smooth, linear and exponential')
            [CompletionResult]::new('--fade-out', '--fade-out', [CompletionResultType]::ParameterName, 'Fades the tail out, as in 8:exponential')
            [CompletionResult]::new('--save-recipe', '--save-recipe', [CompletionResultType]::ParameterName, 'Writes everything that was decided as JSON, to read, change and render again: `goldmaster render SONG --recipe FILE`')
            [CompletionResult]::new('--recipe', '--recipe', [CompletionResultType]::ParameterName, 'As `--save-recipe`, but never over a file that exists: whoever names one wants to render it')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'File of the master, .wav, .flac, .mp3 or .opus; given several times, the same master in each; with --name a folder [default: SONG.master.wav beside the mix]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'File of the master, .wav, .flac, .mp3 or .opus; given several times, the same master in each; with --name a folder [default: SONG.master.wav beside the mix]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'File format of the master, where its name does not say it [default: wav]')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the master, as in ''{track:02} {title} [{destination}].flac''')
            [CompletionResult]::new('--delta', '--delta', [CompletionResultType]::ParameterName, 'Writes only what was taken away or added: the master minus the mix at the same gain')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Writes a page to hear and see mix and master: one .html file with everything in it')
            [CompletionResult]::new('--report-audio', '--report-audio', [CompletionResultType]::ParameterName, 'What the page plays [default: excerpt]')
            [CompletionResult]::new('-g', '-g', [CompletionResultType]::ParameterName, 'A genre to sound like, or `auto` for the one that a song''s tags name or that it sounds like; `list` shows all [default: auto]')
            [CompletionResult]::new('--genre', '--genre', [CompletionResultType]::ParameterName, 'A genre to sound like, or `auto` for the one that a song''s tags name or that it sounds like; `list` shows all [default: auto]')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Fails and writes nothing when the loudness cannot be reached, the mix is cut off or damaged, or a fade is longer than the song')
            [CompletionResult]::new('--codec-safe', '--codec-safe', [CompletionResultType]::ParameterName, 'Lowers the ceiling by as much as MP3, Vorbis and Opus raise peaks at this loudness')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Replaces existing files')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replaces existing files')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints the report as JSON')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Prints errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Prints errors only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'goldmaster;batch' {
            [CompletionResult]::new('--plan', '--plan', [CompletionResultType]::ParameterName, 'A table of songs with settings for each, .csv or .json')
            [CompletionResult]::new('--exclude', '--exclude', [CompletionResultType]::ParameterName, 'Passes over files and folders, as ''*demo*'' or ''live/''; a .goldmasterignore in a folder has such patterns in its lines')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Folder for masters and reports; the folders of the input are kept in it')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Folder for masters and reports; the folders of the input are kept in it')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Names of the masters in their folders, as in ''{track:02} {title} [{destination}]''')
            [CompletionResult]::new('--genre-reference', '--genre-reference', [CompletionResultType]::ParameterName, 'A finished record that the songs of a genre should sound like, as in rock=hit.flac; several are weighted, as in rock=hit.flac:0.5. A song has the genre that it is given, that its tags name, or that it sounds like')
            [CompletionResult]::new('--reference-folder', '--reference-folder', [CompletionResultType]::ParameterName, 'A folder of finished records: each song should sound like the one that is most like it')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35')
            [CompletionResult]::new('--reference', '--reference', [CompletionResultType]::ParameterName, 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'A profile of records to sound like, as `goldmaster profile` writes it')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'A profile of records to sound like, as `goldmaster profile` writes it')
            [CompletionResult]::new('--character', '--character', [CompletionResultType]::ParameterName, 'Character of the master, next to its target')
            [CompletionResult]::new('--match', '--match', [CompletionResultType]::ParameterName, 'Method of following a reference')
            [CompletionResult]::new('--refine', '--refine', [CompletionResultType]::ParameterName, 'How thoroughly to fine-tune by test renders')
            [CompletionResult]::new('--decider', '--decider', [CompletionResultType]::ParameterName, 'What decides: the network, simple rules, or nothing (loudness and ceiling only)')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'Changes one value of the recipe, as in multiband.low.ratio=1.5')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Loudness, ceiling and format for a place; given several times, a master for each')
            [CompletionResult]::new('--loudness', '--loudness', [CompletionResultType]::ParameterName, 'Integrated loudness in LUFS, or `auto` for what is typical of the target [default: the reference''s, or -14]')
            [CompletionResult]::new('--ceiling', '--ceiling', [CompletionResultType]::ParameterName, 'True peak that is never exceeded, in dBTP [default: -1]')
            [CompletionResult]::new('--max-limiting-db', '--max-limiting-db', [CompletionResultType]::ParameterName, 'Gain reduction that the limiter may exceed for 5 % of the time only (single hits); a master that would need more stays quieter [default: 3]')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Sample rate of the master [default: the mix''s]')
            [CompletionResult]::new('--bits', '--bits', [CompletionResultType]::ParameterName, 'Bits per sample of the master [default: 24]')
            [CompletionResult]::new('--bitrate', '--bitrate', [CompletionResultType]::ParameterName, 'Bit rate of an MP3 or Opus, in kbit/s [default: 320 for MP3, 160 for Opus]')
            [CompletionResult]::new('--intensity', '--intensity', [CompletionResultType]::ParameterName, 'How much of all changes to apply, %')
            [CompletionResult]::new('--tone', '--tone', [CompletionResultType]::ParameterName, 'How much equalisation to apply, %')
            [CompletionResult]::new('--dynamics', '--dynamics', [CompletionResultType]::ParameterName, 'How much compression and expansion to apply, %')
            [CompletionResult]::new('--width', '--width', [CompletionResultType]::ParameterName, 'How much of the change in stereo width to apply, %')
            [CompletionResult]::new('--trim', '--trim', [CompletionResultType]::ParameterName, 'Cuts silence and noise before the first sound, but for so many milliseconds, and after the last sound')
            [CompletionResult]::new('--fade-in', '--fade-in', [CompletionResultType]::ParameterName, 'Fades the head in over so many seconds; shapes are smooth, linear and exponential')
            [CompletionResult]::new('--fade-out', '--fade-out', [CompletionResultType]::ParameterName, 'Fades the tail out, as in 8:exponential')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'File format of the masters')
            [CompletionResult]::new('--album', '--album', [CompletionResultType]::ParameterName, 'The songs are one record: its songs keep their differences in loudness and share one target for their tone. The album as a whole, or its loudest song, is brought to the loudness that is asked for')
            [CompletionResult]::new('--album-balance', '--album-balance', [CompletionResultType]::ParameterName, 'Loudness differences between the songs of an album: kept, or evened out')
            [CompletionResult]::new('--cue', '--cue', [CompletionResultType]::ParameterName, 'Writes a cue sheet and a track list of every album, with so many seconds of silence between its songs')
            [CompletionResult]::new('-j', '-j', [CompletionResultType]::ParameterName, 'Songs at once, one thread each [default: as many as there are cores and memory for]')
            [CompletionResult]::new('--jobs', '--jobs', [CompletionResultType]::ParameterName, 'Songs at once, one thread each [default: as many as there are cores and memory for]')
            [CompletionResult]::new('--memory', '--memory', [CompletionResultType]::ParameterName, 'Memory for all of them together, as in 800M or 4G [default: half of what is free]')
            [CompletionResult]::new('--shard', '--shard', [CompletionResultType]::ParameterName, 'Masters one part of the songs only, as in 3/16: for several machines')
            [CompletionResult]::new('--known-failures', '--known-failures', [CompletionResultType]::ParameterName, 'Exit code for a file that failed before in the same way, and has not changed since')
            [CompletionResult]::new('--report-audio', '--report-audio', [CompletionResultType]::ParameterName, 'What the pages play [default: excerpt]')
            [CompletionResult]::new('-g', '-g', [CompletionResultType]::ParameterName, 'A genre to sound like, or `auto` for the one that a song''s tags name or that it sounds like; `list` shows all [default: auto]')
            [CompletionResult]::new('--genre', '--genre', [CompletionResultType]::ParameterName, 'A genre to sound like, or `auto` for the one that a song''s tags name or that it sounds like; `list` shows all [default: auto]')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Fails and writes nothing when the loudness cannot be reached, the mix is cut off or damaged, or a fade is longer than the song')
            [CompletionResult]::new('--codec-safe', '--codec-safe', [CompletionResultType]::ParameterName, 'Lowers the ceiling by as much as MP3, Vorbis and Opus raise peaks at this loudness')
            [CompletionResult]::new('--reference-from-album', '--reference-from-album', [CompletionResultType]::ParameterName, 'The record is its own reference: songs that stand out move towards the others')
            [CompletionResult]::new('--no-resume', '--no-resume', [CompletionResultType]::ParameterName, 'Masters finished songs again')
            [CompletionResult]::new('--resume', '--resume', [CompletionResultType]::ParameterName, 'Leaves songs alone whose master is there, from the same mix and settings; this is the default')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Replaces files that no batch has written, and masters that were edited')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replaces files that no batch has written, and masters that were edited')
            [CompletionResult]::new('--summary', '--summary', [CompletionResultType]::ParameterName, 'Writes summary-DATE.txt and summary-DATE.json into the output folder, for a mail')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Opens every file, says what would be done, and writes nothing')
            [CompletionResult]::new('--report', '--report', [CompletionResultType]::ParameterName, 'Writes a page for every song beside its master, and index.html of all')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Prints failures only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Prints failures only')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'goldmaster;variations' {
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35')
            [CompletionResult]::new('--reference', '--reference', [CompletionResultType]::ParameterName, 'A finished record to sound like; several are weighted, as in hit.flac:0.5, and a section is chosen as in hit.flac@1:05-1:35')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'A profile of records to sound like, as `goldmaster profile` writes it')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'A profile of records to sound like, as `goldmaster profile` writes it')
            [CompletionResult]::new('--character', '--character', [CompletionResultType]::ParameterName, 'Character of the master, next to its target')
            [CompletionResult]::new('--match', '--match', [CompletionResultType]::ParameterName, 'Method of following a reference')
            [CompletionResult]::new('--refine', '--refine', [CompletionResultType]::ParameterName, 'How thoroughly to fine-tune by test renders')
            [CompletionResult]::new('--decider', '--decider', [CompletionResultType]::ParameterName, 'What decides: the network, simple rules, or nothing (loudness and ceiling only)')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'Changes one value of the recipe, as in multiband.low.ratio=1.5')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Loudness, ceiling and format for a place; given several times, a master for each')
            [CompletionResult]::new('--loudness', '--loudness', [CompletionResultType]::ParameterName, 'Integrated loudness in LUFS, or `auto` for what is typical of the target [default: the reference''s, or -14]')
            [CompletionResult]::new('--ceiling', '--ceiling', [CompletionResultType]::ParameterName, 'True peak that is never exceeded, in dBTP [default: -1]')
            [CompletionResult]::new('--max-limiting-db', '--max-limiting-db', [CompletionResultType]::ParameterName, 'Gain reduction that the limiter may exceed for 5 % of the time only (single hits); a master that would need more stays quieter [default: 3]')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Sample rate of the master [default: the mix''s]')
            [CompletionResult]::new('--bits', '--bits', [CompletionResultType]::ParameterName, 'Bits per sample of the master [default: 24]')
            [CompletionResult]::new('--bitrate', '--bitrate', [CompletionResultType]::ParameterName, 'Bit rate of an MP3 or Opus, in kbit/s [default: 320 for MP3, 160 for Opus]')
            [CompletionResult]::new('--intensity', '--intensity', [CompletionResultType]::ParameterName, 'How much of all changes to apply, %')
            [CompletionResult]::new('--tone', '--tone', [CompletionResultType]::ParameterName, 'How much equalisation to apply, %')
            [CompletionResult]::new('--dynamics', '--dynamics', [CompletionResultType]::ParameterName, 'How much compression and expansion to apply, %')
            [CompletionResult]::new('--width', '--width', [CompletionResultType]::ParameterName, 'How much of the change in stereo width to apply, %')
            [CompletionResult]::new('--trim', '--trim', [CompletionResultType]::ParameterName, 'Cuts silence and noise before the first sound, but for so many milliseconds, and after the last sound')
            [CompletionResult]::new('--fade-in', '--fade-in', [CompletionResultType]::ParameterName, 'Fades the head in over so many seconds; shapes are smooth, linear and exponential')
            [CompletionResult]::new('--fade-out', '--fade-out', [CompletionResultType]::ParameterName, 'Fades the tail out, as in 8:exponential')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'The page, .html [default: SONG.variations.html beside the mix]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'The page, .html [default: SONG.variations.html beside the mix]')
            [CompletionResult]::new('-g', '-g', [CompletionResultType]::ParameterName, 'A genre to sound like, or `auto` for the one that a song''s tags name or that it sounds like; `list` shows all [default: auto]')
            [CompletionResult]::new('--genre', '--genre', [CompletionResultType]::ParameterName, 'A genre to sound like, or `auto` for the one that a song''s tags name or that it sounds like; `list` shows all [default: auto]')
            [CompletionResult]::new('--strict', '--strict', [CompletionResultType]::ParameterName, 'Fails and writes nothing when the loudness cannot be reached, the mix is cut off or damaged, or a fade is longer than the song')
            [CompletionResult]::new('--codec-safe', '--codec-safe', [CompletionResultType]::ParameterName, 'Lowers the ceiling by as much as MP3, Vorbis and Opus raise peaks at this loudness')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Replaces an existing page')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replaces an existing page')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Prints how the masters compare as JSON')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'goldmaster;help' {
            [CompletionResult]::new('analyze', 'analyze', [CompletionResultType]::ParameterValue, 'Measures files and shows what was found')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Checks finished files against what a destination asks for')
            [CompletionResult]::new('profile', 'profile', [CompletionResultType]::ParameterValue, 'Measures records that you like, to master towards them with `--profile`')
            [CompletionResult]::new('render', 'render', [CompletionResultType]::ParameterValue, 'Renders a recipe; on the song that it was made for, the same bytes again')
            [CompletionResult]::new('merge-reports', 'merge-reports', [CompletionResultType]::ParameterValue, 'Joins the reports of a batch that ran in parts (`--shard`)')
            [CompletionResult]::new('report', 'report', [CompletionResultType]::ParameterValue, 'Compares two files, as a mix and its master, on a page to listen and look')
            [CompletionResult]::new('ui', 'ui', [CompletionResultType]::ParameterValue, 'Opens a page in the browser to master with: drop, listen, choose, export')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Makes a mix with typical faults and masters it: needs no file')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Prints completions for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Prints the manual page')
            [CompletionResult]::new('master', 'master', [CompletionResultType]::ParameterValue, 'Masters one song; the same as no command at all')
            [CompletionResult]::new('batch', 'batch', [CompletionResultType]::ParameterValue, 'Masters many songs or a whole album; goes on where it was interrupted')
            [CompletionResult]::new('variations', 'variations', [CompletionResultType]::ParameterValue, 'Masters one song in several ways, to hear before choosing')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'goldmaster;help;analyze' {
            break
        }
        'goldmaster;help;check' {
            break
        }
        'goldmaster;help;profile' {
            break
        }
        'goldmaster;help;render' {
            break
        }
        'goldmaster;help;merge-reports' {
            break
        }
        'goldmaster;help;report' {
            break
        }
        'goldmaster;help;ui' {
            break
        }
        'goldmaster;help;demo' {
            break
        }
        'goldmaster;help;completions' {
            break
        }
        'goldmaster;help;man' {
            break
        }
        'goldmaster;help;master' {
            break
        }
        'goldmaster;help;batch' {
            break
        }
        'goldmaster;help;variations' {
            break
        }
        'goldmaster;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
