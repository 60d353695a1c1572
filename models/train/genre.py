"""Trains the genre head from the data that `dataset` made, and makes a profile of every genre that has one.

    python models/train/genre.py DATASET.json                 # after one_click.py

needs numpy, onnx and blake3. Writes models/weights/genre.onnx and .json and models/profiles/GENRE.json, and prints the figures of the
model card, on artists that were not fitted to.

A genre gets a profile when it has songs of MIN_ARTISTS artists and the profile made without an artist is closer to that artist's
songs than the universal one, both over the spectrum of the mid and over all features of the decider. The classifier tells those genres that
have TELLABLE_ARTISTS; all other songs are one class, `other`, for which the universal profile stands.

The classifier is naive Bayes with a Laplace density per class and feature: the nearest profile, in spreads of its own, and with probabilities. It
sees more features than the decider: see `selected`. Constants were chosen on the same songs; none of them changes a figure by more than the noise.
"""
import argparse, json, pathlib
import blake3, numpy as np, onnx
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).resolve().parent.parent
BANDS = 40
HEARD = slice(6, 38)  # 62 Hz to 16 kHz
CLIP = 3.0  # standard deviations
FOLDS, SEEDS = 5, range(8)
MIN_ARTISTS, TELLABLE_ARTISTS = 5, 30
PRIOR_ARTISTS = 6.0  # the universal median counts as so many artists of a genre
PRIOR_SONGS = 4.0  # as in models/src/norm.rs
CENTRE_SONGS, SPREAD_SONGS = 6.0, 5.0  # all songs together count as so many of a class
SAME_ARTIST = {"el-corleo": "eliot-corley", "eliot-corley-el-corleo": "eliot-corley"}
SAME_GENRE = {"metal": "rock"}
OTHER = "other"


def selected(name):
    """The mean spectra and everything that is no spectrum; how a band moves in time is noise (analyzer/FEATURES.md)."""
    return not name.endswith(("hz_loud_over_mean_db", "hz_range_db"))


class Data:
    def __init__(self, path):
        raw = json.load(open(path))
        songs, cases = raw["songs"], raw["cases"]
        column = {name: n for n, name in enumerate(raw["features"])}
        self.names = raw["selected"]
        self.heard_names = [name for name in raw["features"] if selected(name)]
        seen, heard = ([column[name] for name in names] for names in (self.names, self.heard_names))
        self.artist = np.array([SAME_ARTIST.get(s["artist"], s["artist"]) for s in songs])
        self.genre = np.array([SAME_GENRE.get(s["genre"], s["genre"]) for s in songs])
        self.loudness = np.array([s["loudness_lufs"] for s in songs])
        self.texture = np.array([s["texture"][0] for s in songs])
        self.song = np.array([c["song"] for c in cases])
        whole, mixes = np.array([s["whole"] for s in songs]), np.array([c["features"] for c in cases])
        # As models::target::comparable: beyond the cutoff everything stands at the norm.
        band = {name: n % BANDS for n, name in enumerate(self.names[:2 * BANDS])}
        known = lambda names: np.array([[band.get(name, 0) < s["known_bands"] for name in names] for s in songs])
        self.known, knows = known(self.names), known(self.heard_names)
        self.universal, self.neutral = np.median(whole[:, seen], axis=0), np.median(whole[:, heard], axis=0)
        self.whole = np.where(self.known, whole[:, seen], self.universal)
        self.truth = np.where(self.known, np.array([s["first_half"] for s in songs])[:, seen], self.universal)
        self.mixes = np.where(self.known[self.song], mixes[:, seen], self.universal)
        self.heard = np.where(knows, whole[:, heard], self.neutral)
        self.heard_mixes = np.where(knows[self.song], mixes[:, heard], self.neutral)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class Classifier:
    """Fitted to features (songs, features) and classes; `logits` are of temperature 1."""

    def __init__(self, x, y, classes):
        self.mean, self.spread = x.mean(axis=0), x.std(axis=0) + 1e-3
        songs = self.standard(x)
        middle = np.median(songs, axis=0)
        all_spread = np.abs(songs - middle).mean(axis=0) + 1e-3
        own = [songs[y == c] for c in range(classes)]
        self.centres = np.array([(len(v) * np.median(v, axis=0) + CENTRE_SONGS * middle) / (len(v) + CENTRE_SONGS) for v in own])
        self.spreads = np.array([(np.abs(v - m).sum(axis=0) + SPREAD_SONGS * all_spread) / (len(v) + SPREAD_SONGS)
                                 for v, m in zip(own, self.centres)])

    def standard(self, x):
        return np.clip((x - self.mean) / self.spread, -CLIP, CLIP)

    def logits(self, x):
        """Classes count alike, however many songs they have."""
        z = self.standard(x)
        return -(np.abs(z[:, None] - self.centres) / self.spreads + np.log(self.spreads)).mean(axis=2)


def surprise(logits, y, temperature):
    return float(-np.log(softmax(logits / temperature)[np.arange(len(y)), y]).mean())


def cooled(logits, y):
    """The temperature (Guo et al., 2017) under which the truth surprises least."""
    return min(np.exp(np.linspace(np.log(0.005), np.log(5.0), 281)), key=lambda t: surprise(logits, y, t))


def medians(data, genre, but_artist=None):
    """Universal median, and that of a genre shrunk to it."""
    others = data.artist != but_artist
    universal = np.median(data.whole[others], axis=0)
    songs = others & (data.genre == genre)
    artists = len(set(data.artist[songs]))
    own = np.array([np.median(v[k]) if k.any() else u for v, k, u in zip(data.whole[songs].T, data.known[songs].T, universal)])
    share = artists / (artists + PRIOR_ARTISTS)
    return universal, share * own + (1 - share) * universal


def distances(data, genre):
    """Mean distance of an artist's songs from universal and genre profile that are made without the artist: dB of mid, spreads of all."""
    spread, out = data.whole.std(axis=0) + 1e-3, []
    for song in np.flatnonzero(data.genre == genre):
        pair = medians(data, genre, data.artist[song])
        difference = [np.abs(data.whole[song] - median) for median in pair]
        out.append([[d[HEARD].mean(), (d / spread).mean()] for d in difference])
    return np.mean(out, axis=0)


def profiled(data):
    found = []
    for genre in sorted(map(str, set(data.genre) - {OTHER})):
        songs = data.genre == genre
        artists = len(set(data.artist[songs]))
        if artists < MIN_ARTISTS:
            print(f"{genre}: {songs.sum()} songs, {artists} artists: too few")
            continue
        (mid_u, all_u), (mid_g, all_g) = distances(data, genre)
        keeps = mid_g < mid_u and all_g < all_u
        print(f"{genre}: {songs.sum()} songs, {artists} artists; from the genre {mid_g:.2f} dB, {all_g:.3f}; "
              f"from the universal {mid_u:.2f} dB, {all_u:.3f}: {'kept' if keeps else 'no profile'}")
        if keeps:
            found.append(genre)
    return found


def profile(data, genre):
    songs = data.genre == genre
    universal, median = medians(data, genre)
    def spread(values, known, prior):
        mean = values.sum(where=known) / max(known.sum(), 1)
        squares = ((values - mean) ** 2).sum(where=known)
        return np.sqrt((squares + PRIOR_SONGS * prior * prior) / (known.sum() + PRIOR_SONGS))
    columns = zip(data.whole[songs].T, data.known[songs].T, data.whole.std(axis=0))
    artists = len(set(data.artist[songs]))
    share = artists / (artists + PRIOR_ARTISTS)
    lufs = share * np.median(data.loudness[songs]) + (1 - share) * np.median(data.loudness)
    every = np.ones(songs.sum(), bool)
    texture = share * np.median(data.texture[songs], axis=0) + (1 - share) * np.median(data.texture, axis=0)
    # What the universal profile is drawn by towards published averages, those of the genres are as well.
    median = median + np.array(json.load(open(HERE / "profiles" / "universal.json"))["median"]) - np.median(data.whole, axis=0)
    return {"version": 1, "name": genre, "songs": int(songs.sum()),
            "loudness_lufs": [round(float(lufs), 2), round(float(spread(data.loudness[songs], every, data.loudness.std())), 2)],
            "names": data.names, "median": median.round(3).tolist(),
            "spread": [round(float(spread(*column)), 3) for column in columns], "texture": texture.round(3).tolist()}


def held_out(data, y, classes, fold_of):
    """Logits of songs and of their mixes, from fits without their artists."""
    songs, mixes = np.zeros((len(y), classes)), np.zeros((len(data.mixes), classes))
    for fold in range(FOLDS):
        rest, own = fold_of != fold, fold_of == fold
        head = Classifier(data.heard[rest], y[rest], classes)
        songs[own], mixes[own[data.song]] = head.logits(data.heard[own]), head.logits(data.heard_mixes[own[data.song]])
    return songs, mixes


def nearest(data, y, classes, fold_of, seen, of):
    """Baseline: the class whose median is nearest, in spreads."""
    out = np.zeros(len(seen), int)
    for fold in range(FOLDS):
        rest, own = fold_of != fold, (fold_of == fold)[of]
        centres = np.array([np.median(data.whole[rest & (y == c)], axis=0) for c in range(classes)])
        spread = data.whole[rest].std(axis=0) + 1e-3
        out[own] = np.argmin((np.abs(seen[own][:, None] - centres) / spread).mean(axis=2), axis=1)
    return out


def calibration_error(p, y, bins=10):
    """Expected calibration error: |accuracy - confidence| over equal bins of confidence, weighted by their songs."""
    sure, right = p.max(axis=1), p.argmax(axis=1) == y
    at = np.minimum((sure * bins).astype(int), bins - 1)
    return sum(abs(right[at == n].mean() - sure[at == n].mean()) * (at == n).mean() for n in range(bins) if (at == n).any())


def far_from_target(data, y, names, fold_of, p_mixes):
    """Mean distance of a record from what its mix is mastered towards, universal and by genre, made without its fold: dB of mid."""
    far = np.zeros((len(data.mixes), 2))
    for fold in range(FOLDS):
        rest = fold_of != fold
        universal = np.median(data.whole[rest], axis=0)
        targets = [universal if name == OTHER else
                   (lambda n, s: (n * np.median(data.whole[s], axis=0) + PRIOR_ARTISTS * universal) / (n + PRIOR_ARTISTS))(
                       len(set(data.artist[rest & (y == c)])), rest & (y == c)) for c, name in enumerate(names)]
        rows = np.flatnonzero(fold_of[data.song] == fold)
        mixed = p_mixes[rows] @ np.array(targets)
        truth = data.truth[data.song[rows]]
        far[rows] = np.c_[[np.abs(truth - t)[:, HEARD].mean(axis=1) for t in (universal, mixed)]].T
    return far


def rates(right, y, classes, weight):
    """Accuracy and balanced accuracy of songs that are right so often."""
    return [np.average(right, weights=weight), np.mean([np.average(right[y == c], weights=weight[y == c] + 1e-9) for c in range(classes)])]


def report(data, y, names):
    """Prints the model card's figures; the temperature that fits all held-out logits."""
    k, of, variants = len(names), y[data.song], len(data.song) // len(y)
    per_song = lambda right: right.reshape(len(y), variants).mean(axis=1)
    right = {who: np.zeros((2, len(y))) for who in ("nearest profile", "this head")}
    errors, surprises, far, confusion, all_logits = [], [], [], np.zeros((k, k)), []
    artists, own = np.unique(data.artist), np.arange(len(y))
    for seed in SEEDS:
        folds = np.random.default_rng(seed).permutation(len(artists)) % FOLDS
        fold_of = folds[np.searchsorted(artists, data.artist)]
        logits, mixes = held_out(data, y, k, fold_of)
        all_logits.append(logits)
        # The temperature of a fold is fitted on the other folds.
        heat = np.array([cooled(logits[fold_of != f], y[fold_of != f]) for f in range(FOLDS)])[fold_of]
        p, p_mixes = softmax(logits / heat[:, None]), softmax(mixes / heat[data.song][:, None])
        guesses = [nearest(data, y, k, fold_of, data.whole, own), nearest(data, y, k, fold_of, data.mixes, data.song)]
        right["nearest profile"] += [guesses[0] == y, per_song(guesses[1] == of)]
        right["this head"] += [p.argmax(1) == y, per_song(p_mixes.argmax(1) == of)]
        errors.append([calibration_error(p, y), calibration_error(p_mixes, of)])
        surprises.append([surprise(np.log(p), y, 1.0), surprise(np.log(p_mixes), of, 1.0)])
        np.add.at(confusion, (y, p.argmax(1)), 1 / len(SEEDS))
        far.append(far_from_target(data, y, names, fold_of, p_mixes))
    shares = np.bincount(y) / len(y)
    print(f"accuracy, balanced accuracy: songs, then mixes; artists held out, mean of {len(SEEDS)} divisions; majority {shares.max():.3f}")
    every = np.ones(len(y))
    table = lambda who, weight: np.concatenate([rates(r / len(SEEDS), y, k, weight) for r in right[who]])
    for who in right:
        print(f"  {who}:", table(who, every).round(3).tolist())
    draws, number = np.random.default_rng(0), np.searchsorted(artists, data.artist)
    gains = [table("this head", w) - table("nearest profile", w) for w in
             (np.bincount(draws.integers(0, len(artists), len(artists)), minlength=len(artists))[number] for _ in range(2000))]
    print("  gain, 5 and 95 % over draws of artists:", np.quantile(gains, [0.05, 0.95], axis=0).round(3).tolist())
    print("  calibration error:", np.mean(errors, axis=0).round(3).tolist(), "surprise:", np.mean(surprises, axis=0).round(3).tolist(),
          f"nats, of the shares alone {-(shares * np.log(shares)).sum():.3f}")
    print("  confusion (rows: truth)", dict(zip(map(str, names), confusion.round(1).tolist())))
    far = np.mean(far, axis=0)
    print("record from target, mean dB over the mid: universal, by genre:", far.mean(axis=0).round(2).tolist(),
          "closer in", round(float((far[:, 1] < far[:, 0]).mean()), 3))
    for c, name in enumerate(names):
        print(f"  {name}:", far[of == c].mean(axis=0).round(2).tolist())
    return cooled(np.concatenate(all_logits), np.tile(y, len(SEEDS)))


def export(path, head, temperature):
    """The classifier with standardising and temperature folded in."""
    classes, features = head.centres.shape
    constants, nodes = [], []

    def constant(name, values, kind=np.float32):
        constants.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def node(kind, inputs, output, **attributes):
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    away = node("Sub", ["features", constant("mean", head.mean[None])], "away")
    whole = node("Div", [away, constant("spread", head.spread[None])], "whole")
    z = node("Clip", [whole, constant("least", -CLIP), constant("most", CLIP)], "standard")
    row = node("Unsqueeze", [z, constant("axis", [1], np.int64)], "row")
    apart = node("Abs", [node("Sub", [row, constant("centres", head.centres[None])], "from_centres")], "apart")
    shares = node("Mul", [apart, constant("weights", -1 / (features * temperature) / head.spreads[None])], "shares")
    sums = node("ReduceSum", [shares, constant("last", [2], np.int64)], "sums", keepdims=0)
    logits = node("Sub", [sums, constant("widths", np.log(head.spreads).mean(axis=1)[None] / temperature)], "logits")
    node("Softmax", [logits], "probabilities", axis=1)
    io = lambda name, width: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
    graph = helper.make_graph(nodes, "genre", [io("features", features)], [io("probabilities", classes)], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="goldmaster")
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    data = Data(parser.parse_args().dataset)
    genres = profiled(data)
    tellable = [g for g in genres if len(set(data.artist[data.genre == g])) >= TELLABLE_ARTISTS]
    names = tellable + [OTHER]
    y = np.array([names.index(g) if g in tellable else len(tellable) for g in data.genre])
    print("songs and artists", {str(name): [int((y == c).sum()), len(set(data.artist[y == c]))] for c, name in enumerate(names)})
    temperature = report(data, y, names)
    head = Classifier(data.heard, y, len(names))
    print(f"temperature {temperature:.2f}")
    weights = HERE / "weights"
    export(weights / "genre.onnx", head, temperature)
    parity = []
    for x in data.heard[:: len(data.heard) // 5][:5].astype(np.float32).astype(float):
        parity.append({"features": x.tolist(), "probabilities": softmax(head.logits(x[None]) / temperature)[0].tolist()})
    sidecar = {"blake3": blake3.blake3((weights / "genre.onnx").read_bytes()).hexdigest(), "features": data.heard_names,
               "neutral": data.neutral.round(4).tolist(), "classes": names, "parity": parity}
    (weights / "genre.json").write_text(json.dumps(sidecar, indent=1) + "\n")
    for genre in genres:
        (HERE / "profiles" / f"{genre}.json").write_text(json.dumps(profile(data, genre), indent=1) + "\n")


if __name__ == "__main__":
    main()
