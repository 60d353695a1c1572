//! Genre numbers in tags: ID3v1 (id3.org, appendix A) with the additions of Winamp.

const GENRES: &str = "Blues|Classic Rock|Country|Dance|Disco|Funk|Grunge|Hip-Hop|Jazz|Metal|New Age|Oldies|Other|Pop|\
R&B|Rap|Reggae|Rock|Techno|Industrial|Alternative|Ska|Death Metal|Pranks|Soundtrack|Euro-Techno|Ambient|Trip-Hop|\
Vocal|Jazz+Funk|Fusion|Trance|Classical|Instrumental|Acid|House|Game|Sound Clip|Gospel|Noise|Alternative Rock|Bass|\
Soul|Punk|Space|Meditative|Instrumental Pop|Instrumental Rock|Ethnic|Gothic|Darkwave|Techno-Industrial|Electronic|\
Pop-Folk|Eurodance|Dream|Southern Rock|Comedy|Cult|Gangsta|Top 40|Christian Rap|Pop/Funk|Jungle|Native American|\
Cabaret|New Wave|Psychedelic|Rave|Showtunes|Trailer|Lo-Fi|Tribal|Acid Punk|Acid Jazz|Polka|Retro|Musical|Rock & Roll|\
Hard Rock|Folk|Folk-Rock|National Folk|Swing|Fast Fusion|Bebop|Latin|Revival|Celtic|Bluegrass|Avantgarde|Gothic Rock|\
Progressive Rock|Psychedelic Rock|Symphonic Rock|Slow Rock|Big Band|Chorus|Easy Listening|Acoustic|Humour|Speech|\
Chanson|Opera|Chamber Music|Sonata|Symphony|Booty Bass|Primus|Porn Groove|Satire|Slow Jam|Club|Tango|Samba|Folklore|\
Ballad|Power Ballad|Rhythmic Soul|Freestyle|Duet|Punk Rock|Drum Solo|A Cappella|Euro-House|Dance Hall|Goa|Drum & Bass|\
Club-House|Hardcore|Terror|Indie|BritPop|Afro-Punk|Polsk Punk|Beat|Christian Gangsta Rap|Heavy Metal|Black Metal|\
Crossover|Contemporary Christian|Christian Rock|Merengue|Salsa|Thrash Metal|Anime|JPop|Synthpop";

/// Returns the genre with this number.
pub(super) fn genre(number: usize) -> Option<&'static str> {
    GENRES.split('|').nth(number)
}

/// Returns the genre in an ID3 text, in which `17` and `(17)` are numbers; `(17)Rock` means its text.
pub(super) fn genre_of(text: &str) -> String {
    let number = |digits: &str| digits.parse().ok().and_then(genre).map(str::to_owned);
    if let Some((digits, rest)) = text.strip_prefix('(').and_then(|t| t.split_once(')')) {
        return if rest.is_empty() { number(digits).unwrap_or_else(|| text.to_owned()) } else { rest.to_owned() };
    }
    number(text).unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_names() {
        assert_eq!(
            (genre(0), genre(17), genre(147), genre(148)),
            (Some("Blues"), Some("Rock"), Some("Synthpop"), None)
        );
        let names = ["17", "(17)", "(17)Punk", "Dub", "(200)"].map(genre_of);
        assert_eq!(names, ["Rock", "Rock", "Punk", "Dub", "(200)"]);
    }
}
