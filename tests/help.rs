//! `--help` of every command, compared word for word with `tests/expected/help`. Completions and the manual page are in
//! `completions`, from where packages take them.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use common::Folder;

/// Width at which lines of help are wrapped, whatever the width of the terminal.
const COLUMNS: &str = "100";

fn expected() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected/help")
}

fn help(folder: &Folder, arguments: &[&str]) -> String {
    let mut command = folder.command(&[arguments, &["--help"]].concat());
    folder.run(command.env("COLUMNS", COLUMNS)).succeeded().stdout
}

/// Asserts that the text is that of the file; with `UPDATE_EXPECTED` set, writes it there.
fn assert_expected(path: &Path, text: &str) {
    // The name of the program ends in `.exe` on Windows.
    let text = text.replace("goldmaster.exe", "goldmaster");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, &text).expect("space");
    }
    let written = fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
    let path = path.display();
    assert!(text == written, "{path} is not what is printed; run again with UPDATE_EXPECTED=1");
}

#[test]
fn every_command_prints_the_help_that_is_expected() {
    let folder = Folder::new();
    let whole = help(&folder, &[]);
    assert_expected(&expected().join("goldmaster.txt"), &whole);
    let (_, listed) = whole.split_once("Commands:\n").expect("a list of commands");
    let listed = listed.split("\n\n").next().unwrap_or_default();
    let commands = listed.lines().filter_map(|line| line.split_whitespace().next());
    let commands: Vec<&str> = commands.filter(|command| *command != "help").collect();
    assert!(commands.contains(&"master") && commands.contains(&"man"), "{commands:?}");
    for command in &commands {
        assert_expected(&expected().join(format!("{command}.txt")), &help(&folder, &[command]));
    }
    let names = commands.iter().map(|command| format!("{command}.txt")).chain(["goldmaster.txt".to_owned()]);
    let entries = fs::read_dir(expected()).expect("a folder").map(|entry| common::name(&entry.expect("one").path()));
    assert_eq!(entries.collect::<BTreeSet<_>>(), names.collect(), "a file for every command and no others");
}

#[test]
fn completions_and_manual_are_those_of_the_arguments() {
    let files: [(&str, &[&str]); 6] = [
        ("goldmaster.bash", &["completions", "bash"]),
        ("goldmaster.elv", &["completions", "elvish"]),
        ("goldmaster.fish", &["completions", "fish"]),
        ("_goldmaster.ps1", &["completions", "powershell"]),
        ("_goldmaster", &["completions", "zsh"]),
        ("goldmaster.1", &["man"]),
    ];
    let folder = Folder::new();
    for (name, arguments) in files {
        let printed = folder.goldmaster(arguments).succeeded().stdout;
        assert!(printed.contains("merge-reports") || printed.contains("merge\\-reports"), "{name}");
        assert_expected(&Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(name), &printed);
    }
}
