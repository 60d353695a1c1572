#!/bin/sh
# Makes a seed corpus for every target in fuzz/corpus, from short synthetic sound. Needs ffmpeg; what it cannot write is left out.
set -eu
cd "$(dirname "$0")"
mkdir -p corpus/decode corpus/tags corpus/recipe corpus/profile corpus/plan
source="aevalsrc=0.3*sin(660*t)|0.2*sin(1330*t):s=44100:d=0.05"
make() {
    # Every argument after the first is one of ffmpeg's.
    name=$1
    shift
    ffmpeg -v error -nostdin -y -f lavfi -i "$source" "$@" -metadata title=Title -metadata artist=Artist \
        -metadata ISRC=DEA123456789 -metadata lyrics=la -metadata track=3/12 "corpus/decode/$name" ||
        rm -f "corpus/decode/$name"
}
for bits in u8 s16le s24le s32le f32le f64le alaw mulaw; do make "$bits.wav" -c:a "pcm_$bits"; done
for bits in s16be s24be f32be; do make "$bits.mov" -c:a "pcm_$bits"; done
for bits in s16be s16le s24be f32be alaw; do make "$bits.caf" -c:a "pcm_$bits"; done
make rf64.wav -c:a pcm_s16le -rf64 always
make ms.wav -c:a adpcm_ms
make ima.wav -c:a adpcm_ima_wav
make ima.caf -c:a adpcm_ima_qt
make s16.aiff -c:a pcm_s16be -write_id3v2 1
make float.aifc -c:a pcm_f32be -f aiff
make plain.flac -c:a flac
make flac.oga -c:a flac -f ogg
make flac.mka -c:a flac
make alac.m4a -c:a alac
make alac.caf -c:a alac
make aac.m4a -c:a aac
make fragments.m4a -c:a aac -movflags +frag_keyframe+empty_moov
make adts.aac -c:a aac
make plain.mp3 -c:a libmp3lame
make layer2.mp2 -c:a mp2
make vorbis.ogg -c:a libvorbis
make opus.opus -c:a libopus
make opus.webm -c:a libopus
cp corpus/decode/* corpus/tags/
cp ../models/profiles/*.json corpus/profile/
printf '\000input,output,loudness,reference\na.wav,b.flac,-9,r.wav:2; s.wav\n' > corpus/plan/table
printf '\001[{"input": "a.wav", "loudness": -9, "set": {"limiter.release_ms": 80}}]' > corpus/plan/json
printf '{"version": 1}' > corpus/recipe/least
# A whole recipe, where the program is built; the other sounds are too short to be mastered.
program=${GOLDMASTER:-../target/release/goldmaster}
if [ -x "$program" ]; then
    folder=$(mktemp -d)
    ffmpeg -v error -nostdin -y -f lavfi -i "aevalsrc=0.3*sin(660*t*t)|0.2*sin(1330*t):s=44100:d=2" "$folder/mix.wav"
    "$program" "$folder/mix.wav" --save-recipe corpus/recipe/whole.json --force --quiet
    rm -rf "$folder"
fi
find corpus -type f | wc -l
