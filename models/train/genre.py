"""Trains the genre head from the data that `dataset` made, and makes a profile of every genre that has one.

    python models/train/genre.py DATASET.json

needs numpy, onnx and blake3. Writes models/weights/genre.onnx and .json and models/profiles/GENRE.json, and prints the figures of the
model card, on artists that were not fitted to.

A genre gets a profile when it has songs of MIN_ARTISTS artists and the profile made without an artist is closer to that artist's
songs than the universal one, both over the spectrum of the mid and over all features. The classifier (multinomial logistic
regression with an L2 penalty, on standardised features) tells those genres that have TELLABLE_ARTISTS; all other songs are one class, `other`,
for which the universal profile stands. The penalty is chosen and the temperature fitted on held-out artists.
"""
import argparse, json, pathlib
import blake3, numpy as np, onnx
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).resolve().parent.parent
BANDS = 40
HEARD = slice(6, 38)  # 62 Hz to 16 kHz
CLIP = 3.0  # standard deviations
FOLDS, SEED = 5, 11
MIN_ARTISTS, TELLABLE_ARTISTS = 5, 10
PRIOR_ARTISTS = 6.0  # the universal median counts as so many artists of a genre
PRIOR_SONGS = 4.0  # as in models/src/norm.rs
PENALTIES = [1.0, 3.0, 10.0]
SAME_ARTIST = {"eliot-corley-el-corleo": "eliot-corley"}
SAME_GENRE = {"metal": "rock"}
OTHER = "other"


class Data:
    def __init__(self, path):
        raw = json.load(open(path))
        songs, cases = raw["songs"], raw["cases"]
        self.names = raw["features"]
        self.artist = np.array([SAME_ARTIST.get(s["artist"], s["artist"]) for s in songs])
        self.genre = np.array([SAME_GENRE.get(s["genre"], s["genre"]) for s in songs])
        self.loudness = np.array([s["loudness_lufs"] for s in songs])
        self.bands = np.array([s["known_bands"] for s in songs])
        whole = np.array([s["whole"] for s in songs])
        self.universal = np.median(whole, axis=0)
        self.known = np.ones(whole.shape, bool)
        for row, bands in zip(self.known, self.bands):
            row[bands:BANDS] = row[BANDS + bands:2 * BANDS] = False
        self.whole = self.within(whole, self.known)
        self.truth = self.within(np.array([s["first_half"] for s in songs]), self.known)
        self.song = np.array([c["song"] for c in cases])
        self.mixes = self.within(np.array([c["features"] for c in cases]), self.known[self.song])

    def within(self, values, known):
        """As models::target::comparable: beyond the cutoff everything stands at the norm."""
        return np.where(known, values, self.universal)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def fit(x, y, classes, penalty):
    """Multinomial logistic regression by descent with Böhning's bound on the Hessian (1992), accelerated; deterministic."""
    ones = np.c_[x, np.ones(len(x))]
    truth, ridge = np.eye(classes)[y], penalty * np.r_[np.ones(x.shape[1]), 1e-6]
    step = np.linalg.inv(0.5 * ones.T @ ones / len(x) + np.diag(ridge))
    w = v = np.zeros((ones.shape[1], classes))
    t = 1.0
    for _ in range(300):
        gradient = ones.T @ (softmax(ones @ v) - truth) / len(x) + ridge[:, None] * v
        next_w, next_t = v - step @ gradient, (1 + np.sqrt(1 + 4 * t * t)) / 2
        v = next_w + (t - 1) / next_t * (next_w - w)
        w, t = next_w, next_t
    return w[:-1], w[-1]


def standardiser(x):
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-3
    return mean, spread, lambda values: np.clip((values - mean) / spread, -CLIP, CLIP)


def surprise(logits, y, temperature):
    return float(-np.log(softmax(logits / temperature)[np.arange(len(y)), y]).mean())


def cooled(logits, y):
    """The temperature (Guo et al., 2017) under which the truth surprises least."""
    return min(np.exp(np.linspace(np.log(0.2), np.log(5.0), 161)), key=lambda t: surprise(logits, y, t))


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
    return {"version": 1, "name": genre, "songs": int(songs.sum()),
            "loudness_lufs": [round(float(lufs), 2), round(float(spread(data.loudness[songs], every, data.loudness.std())), 2)],
            "names": data.names, "median": median.round(3).tolist(),
            "spread": [round(float(spread(*column)), 3) for column in columns]}


def held_out(data, y, classes, fold_of, penalty):
    """Logits of songs and of their mixes, from fits without their artists."""
    songs, mixes = np.zeros((len(y), classes)), np.zeros((len(data.mixes), classes))
    for fold in range(FOLDS):
        rest, own = fold_of != fold, fold_of == fold
        _, _, standard = standardiser(data.whole[rest])
        w, b = fit(standard(data.whole[rest]), y[rest], classes, penalty)
        songs[own] = standard(data.whole[own]) @ w + b
        mixes[own[data.song]] = standard(data.mixes[own[data.song]]) @ w + b
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


def scores(guess, y, classes):
    return round(float((guess == y).mean()), 3), round(float(np.mean([(guess[y == c] == c).mean() for c in range(classes)])), 3)


def calibration_error(p, y, bins=10):
    """Expected calibration error: |accuracy - confidence| over equal bins of confidence, weighted by their songs."""
    sure, right = p.max(axis=1), p.argmax(axis=1) == y
    at = np.minimum((sure * bins).astype(int), bins - 1)
    return sum(abs(right[at == n].mean() - sure[at == n].mean()) * (at == n).mean() for n in range(bins) if (at == n).any())


def report(data, y, names, fold_of, logits, mixes):
    k, own = len(names), np.arange(len(y))
    # The temperature of a fold is fitted on the other folds.
    heat = np.array([cooled(logits[fold_of != f], y[fold_of != f]) for f in range(FOLDS)])[fold_of]
    p, p_mixes = softmax(logits / heat[:, None]), softmax(mixes / heat[data.song][:, None])
    majority = np.full(len(y), np.bincount(y).argmax())
    print("accuracy, balanced accuracy (artists held out)")
    print("  majority:         ", scores(majority, y, k))
    print("  nearest profile:  ", scores(nearest(data, y, k, fold_of, data.whole, own), y, k))
    print("  classifier:       ", scores(p.argmax(1), y, k), f"calibration error {calibration_error(p, y):.3f}")
    shares = np.bincount(y) / len(y)
    print(f"  surprise {surprise(np.log(p), y, 1.0):.3f} nats, of the shares alone {-(shares * np.log(shares)).sum():.3f}")
    of = y[data.song]
    print("  on mixes, nearest:", scores(nearest(data, y, k, fold_of, data.mixes, data.song), of, k))
    print("  on mixes:         ", scores(p_mixes.argmax(1), of, k), f"calibration error {calibration_error(p_mixes, of):.3f}")
    confusion = np.zeros((k, k), int)
    np.add.at(confusion, (y, p.argmax(1)), 1)
    print("  confusion (rows: truth)", dict(zip(map(str, names), confusion.tolist())))
    # How far the record is from what its mix is mastered towards, everything made without its fold.
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
    print("record from target, mean dB over the mid: universal, by genre:", far.mean(axis=0).round(2).tolist(),
          "closer in", round(float((far[:, 1] < far[:, 0]).mean()), 3))
    for c, name in enumerate(names):
        print(f"  {name}:", far[of == c].mean(axis=0).round(2).tolist())


def export(path, mean, spread, w, b):
    features, classes = w.shape
    constant = lambda name, values: numpy_helper.from_array(np.asarray(values, np.float32), name)
    constants = [constant("mean", mean[None]), constant("spread", spread[None]), constant("least", -CLIP), constant("most", CLIP),
                 constant("weights", w), constant("bias", b)]
    nodes = [helper.make_node("Sub", ["features", "mean"], ["deviation"]), helper.make_node("Div", ["deviation", "spread"], ["standard"]),
             helper.make_node("Clip", ["standard", "least", "most"], ["clipped"]),
             helper.make_node("Gemm", ["clipped", "weights", "bias"], ["logits"]),
             helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1)]
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
    artists = np.unique(data.artist)
    folds = np.random.default_rng(SEED).permutation(len(artists)) % FOLDS
    fold_of = folds[np.searchsorted(artists, data.artist)]
    runs = {penalty: held_out(data, y, len(names), fold_of, penalty) for penalty in PENALTIES}
    penalty = min(PENALTIES, key=lambda p: surprise(runs[p][0], y, cooled(runs[p][0], y)))
    logits, mixes = runs[penalty]
    temperature = cooled(logits, y)
    print(f"penalty {penalty}, temperature {temperature:.2f}")
    report(data, y, names, fold_of, logits, mixes)
    mean, spread, standard = standardiser(data.whole)
    w, b = (v / temperature for v in fit(standard(data.whole), y, len(names), penalty))
    weights = HERE / "weights"
    export(weights / "genre.onnx", mean, spread, w, b)
    parity = []
    for x in data.whole[:: len(data.whole) // 5][:5].astype(np.float32).astype(float):
        parity.append({"features": x.tolist(), "probabilities": softmax((standard(x) @ w + b)[None])[0].tolist()})
    sidecar = {"blake3": blake3.blake3((weights / "genre.onnx").read_bytes()).hexdigest(), "features": data.names,
               "classes": names, "parity": parity}
    (weights / "genre.json").write_text(json.dumps(sidecar, indent=1) + "\n")
    for genre in genres:
        (HERE / "profiles" / f"{genre}.json").write_text(json.dumps(profile(data, genre), indent=1) + "\n")


if __name__ == "__main__":
    main()
