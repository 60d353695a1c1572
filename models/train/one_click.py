"""Trains what one click goes by, from the data that `dataset` made, and exports it as ONNX.

    python models/train/one_click.py DATASET.json [--check OTHER.json] [--songs LIST] [--ablations] [--out FOLDER]

needs numpy, onnx and blake3. Writes weights/expectation.onnx, weights/correction.onnx, weights/one_click.json and
profiles/universal.json into models/, and prints the figures of the model card: artists held out in turn, and, with --check,
songs of another data set.

What a finished record with this music's rhythm, instruments and dynamics is like (expectation) is ridge regression on what an
equaliser does not change (traits: `analyzer::texture`, and how width and crest differ from band to band). How far a mix is from it (the deviation u) is a correction c that mastering
would make, and the song s, which differs from what is expected of it: u = c + s. Corrections are broad and now and then large:
their covariance is that of drawn shelves, bells and tilts, at one of several scales (a mixture, hence heavy tails). That of
songs is what is left of the regression on artists that it has not seen, and is larger for songs that are told badly. The
correction that is made is the mean of c given u.
"""
import argparse, json, pathlib, re
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent.parent
BANDS, SPECTRUM = 40, 80
CENTRES = 20.0 * 2.0 ** ((np.arange(BANDS) + 0.5) / 4)
HEARD = (CENTRES >= 80) & (CENTRES < 8000)  # levels are compared by the mean over these
CLIP, STANDARD_CLIP = 25.0, 3.0
WIDTH_DB, NEARLY_MONO_DB = (-40.0, 10.0), -25.0
SAME_ARTIST = {"el-corleo": "eliot-corley"}
# Music with singers and bands is most of what is mastered, and a tenth of the training songs: there each counts as so many.
BAND_GENRES, BAND_WEIGHT = ("rock", "metal", "pop", "hiphop", "funk", "jazz"), 4.0

# Elowsson & Friberg, "Long-term Average Spectrum in Popular Music and its Relation to the Level of the Percussion", AES 142
# (2017): mean of 12,345 popular records, 94 Hz to 15.7 kHz, dB per Hz against x = 1 + 60 log2(f / 30 Hz); per octave 3.01 dB more.
PUBLISHED = (-0.000183, 0.0213, -16.735)
PUBLISHED_HZ = (94.0, 15700.0)
# The corpus is small and of one kind: its mean is drawn towards the published one by this share.
PUBLISHED_SHARE = 0.5

# Groups of columns, by how their names begin; the regression on dynamics has only what dynamics change little, and neither
# width nor crest is told from itself.
TEXTURE = ["flatness_", "rise_16_", "rise_1_of", "rise_2_of", "rise_4_of", "rise_1_band", "together_", "onset_"]
GROUPS = [*TEXTURE, "relative_width_", "relative_crest_"]
STEADY = ["flatness_", "rise_1_of", "rise_2_of", "rise_4_of", "together_"]
PENALTY = {"mid": 16.0, "width": 32.0, "rest": 32.0}
# How badly a song is told is itself told from these, and believed by this share.
DOUBT_GROUPS, DOUBT_PENALTY, DOUBT_SHARE, MODES_OF_DOUBT = ["flatness_", "rise_16_"], 30.0, 1.0, 8

# Scales of corrections, dB, and how often each is met.
MID_SCALES, WIDTH_SCALES = ((4.0, 0.8), (6.5, 0.2)), ((2.5, 0.6), (7.0, 0.4))
MODES = {"mid": 14, "width": 10}
# Kinds of moves and their share in the covariance of corrections.
MID_MOVES = {"low_shelf": 1.2, "high_shelf": 2.5, "bell": 2.6}
WIDTH_MOVES = {"gain": 1.0, "low_shelf": 0.3, "high_shelf": 0.3, "bell": 0.2}
SHRINK = 0.5  # of a covariance of songs towards one that only knows how far apart bands are


def columns(names, groups):
    return [[n for n, name in enumerate(names) if name.startswith(group)] for group in groups]


def centred(curves):
    return curves - curves[..., HEARD].mean(axis=-1, keepdims=True)


def traits(texture, width, crest):
    """What an equaliser does not change, as columns."""
    return np.concatenate([texture, centred(width), crest - crest.mean(axis=-1, keepdims=True)], axis=-1)


def highest_hz(name):
    """The highest frequency that a trait is about; 0 where it is about the whole."""
    return max([float(hz) for hz in re.findall(r"(\d+)hz", name)], default=0.0)


class Data:
    """Songs as rows: the whole and both halves of each."""

    def __init__(self, path, songs=None):
        raw = json.load(open(path))
        rows = [s for s in raw["songs"] if songs is None or s["file"] in songs]
        selected = [raw["features"].index(n) for n in raw["selected"]]
        self.names, self.texture_names = raw["selected"], raw["texture"]
        self.crest = [n - SPECTRUM for n, name in enumerate(self.names) if name.endswith("_crest_db")]
        self.trait_names = self.texture_names + [f"relative_width_{hz:.0f}hz" for hz in CENTRES]
        self.trait_names += [f"relative_crest_{self.names[SPECTRUM + n].removesuffix('_crest_db')}_db" for n in self.crest]
        self.artist = np.array([SAME_ARTIST.get(s["artist"], s["artist"]) for s in rows])
        self.genre = np.array([s["genre"] for s in rows])
        self.loudness = np.array([s["loudness_lufs"] for s in rows])
        known = np.array([s["known_bands"] for s in rows])
        self.whole = np.array([s["whole"] for s in rows])[:, selected]
        features = np.concatenate([np.array([s[k] for s in rows])[:, selected] for k in ("whole", "first_half", "second_half")])
        texture = np.concatenate([np.array([s["texture"][k] for s in rows]) for k in range(3)])
        self.song = np.tile(np.arange(len(rows)), 3)
        self.weight = np.where(np.isin(self.genre, BAND_GENRES), BAND_WEIGHT, 1.0)[self.song]
        self.known = np.tile(known, 3)
        self.is_whole = np.arange(len(self.song)) < len(rows)
        self.moves = {kind: np.array(curves) for kind, curves in raw["moves"].items()}
        self.faults = {name: np.array(curve) for name, curve in raw["faults"].items()}
        mid, side = features[:, :BANDS], features[:, BANDS:SPECTRUM]
        mid, width = centred(mid), np.clip(side - mid, *WIDTH_DB)
        self.rest = features[:, SPECTRUM:]
        self.width = width
        self.traits = self.of_known_bands(traits(texture, width, self.rest[:, self.crest]))
        self.mid, self.width = (self.extended(v, np.median(v[self.is_whole], axis=0)) for v in (mid, width))

    def extended(self, curves, median):
        """Beyond its cutoff a song is as far from the median as just below it."""
        out = curves.copy()
        for row, known in zip(out, self.known):
            row[known:] = median[known:] + (row[known - 1] - median[known - 1])
        return out

    def of_known_bands(self, x):
        """What lies beyond a song's cutoff says nothing, nor does a side that is little but noise: there it is like the average song."""
        hz = np.array([highest_hz(name) for name in self.trait_names])
        is_known = hz[None] < 20.0 * 2.0 ** (self.known[:, None] / 4)
        is_width = np.array([name.startswith("relative_width_") for name in self.trait_names])
        is_known &= ~(is_width[None] & (self.width[:, HEARD].mean(axis=1) < NEARLY_MONO_DB)[:, None])
        mean = np.where(is_known, x, 0.0).sum(axis=0) / is_known.sum(axis=0)
        return np.where(is_known, x, mean)

    def artists(self):
        return self.artist[self.song]


class Regression:
    """Ridge regression on groups of standardised columns; each group weighs the same, and each row as it is told."""

    def __init__(self, names, groups, x, y, penalty, weight_of_rows):
        self.mean, self.spread = x.mean(axis=0), x.std(axis=0) + 1e-6
        weight = np.zeros(x.shape[1])
        for group in columns(names, groups):
            weight[group] = 1.0 / np.sqrt(max(len(group), 1))
        z, root = self.standard(x), np.sqrt(weight_of_rows / weight_of_rows.mean())[:, None]
        middle = np.average(z, axis=0, weights=weight_of_rows)
        zw = root * (z - middle) * weight
        self.bias = np.average(y, axis=0, weights=weight_of_rows)
        kernel = zw @ zw.T + penalty * np.eye(len(z))
        self.matrix = weight[:, None] * (zw.T @ np.linalg.solve(kernel, root * (y - self.bias)))
        self.offset = self.bias - middle @ self.matrix

    def standard(self, x):
        return np.clip((x - self.mean) / self.spread, -STANDARD_CLIP, STANDARD_CLIP)

    def of(self, x):
        return self.standard(x) @ self.matrix + self.offset


def folds_of(artists, count, seed):
    names = np.unique(artists)
    return (np.random.default_rng(seed).permutation(len(names)) % count)[np.searchsorted(names, artists)]


def published(median):
    """How far the published mean is from the corpus's, dB."""
    octaves = np.log2(np.clip(CENTRES, *PUBLISHED_HZ) / 30.0)
    x = 1 + 60 * octaves
    curve = np.polyval(PUBLISHED, x) + 3.01 * octaves
    return centred(curve - np.interp(np.clip(CENTRES, *PUBLISHED_HZ), CENTRES, median))


def by_lag(c):
    """The covariance with every correlation replaced by the mean over all pairs of bands as far apart."""
    sd = np.sqrt(np.diag(c)) + 1e-9
    r, lag = c / np.outer(sd, sd), np.abs(np.subtract.outer(np.arange(BANDS), np.arange(BANDS)))
    mean = np.array([r[lag == k].mean() for k in range(BANDS)])
    return mean[lag] * np.outer(sd, sd)


def song_covariance(left):
    s = left.T @ left / len(left)
    return (1 - SHRINK) * s + SHRINK * by_lag(s) + 0.05 * np.eye(BANDS)


def move_covariance(moves, shares, is_centred):
    total = np.zeros((BANDS, BANDS))
    for kind, share in shares.items():
        curves = centred(moves[kind]) if is_centred else moves[kind]
        total += share * curves.T @ curves / len(curves)
    return total


class Posterior:
    """The mean of a correction under a mixture of scales, given a deviation. Both covariances are diagonal in `modes`."""

    def __init__(self, song, move, scales, modes):
        root = np.linalg.cholesky(song)
        values, vectors = np.linalg.eigh(np.linalg.solve(root, np.linalg.solve(root, move).T))
        top = np.argsort(-values)[:modes]
        self.variance = values[top]
        self.into, self.back = np.linalg.solve(root.T, vectors[:, top]), root @ vectors[:, top]
        self.scales = np.array([s for s, _ in scales])
        self.log_share = np.log(np.array([w for _, w in scales]))

    def modes(self, deviation):
        return deviation @ self.into

    def of(self, deviation, doubt):
        """Correction and its standard deviation."""
        z = self.modes(np.clip(deviation, -CLIP, CLIP))
        prior = self.scales[None, :, None] ** 2 * self.variance
        total = prior + doubt[:, None, None]
        evidence = self.log_share - 0.5 * (np.log(total) + z[:, None] ** 2 / total).sum(axis=2)
        share = np.exp(evidence - evidence.max(axis=1, keepdims=True))
        share = (share / share.sum(axis=1, keepdims=True))[:, :, None]
        gain = (share * prior / total).sum(axis=1)
        left = (share * prior * doubt[:, None, None] / total).sum(axis=1)
        return (z * gain) @ self.back.T, np.sqrt(left @ (self.back ** 2).T)


class Model:
    def __init__(self, data, songs=None):
        rows = np.ones(len(data.song), bool) if songs is None else np.isin(data.song, songs)
        self.names, x, weight = data.trait_names, data.traits[rows], data.weight[rows]
        targets = {"mid": data.mid[rows], "width": data.width[rows], "rest": data.rest[rows]}
        groups = {"mid": GROUPS, "width": TEXTURE, "rest": STEADY}
        fit = lambda kind, keep: Regression(self.names, groups[kind], x[keep], targets[kind][keep], PENALTY[kind], weight[keep])
        every = np.ones(len(x), bool)
        self.regression = {kind: fit(kind, every) for kind in targets}
        # What is left on artists that were not seen.
        artists, left = data.artists()[rows], {kind: np.zeros_like(y) for kind, y in targets.items()}
        seeds = (0, 1)
        for seed in seeds:
            fold = folds_of(artists, 5, seed)
            for k in range(5):
                own = fold == k
                for kind, y in targets.items():
                    left[kind][own] += (fit(kind, ~own).of(x[own]) - y[own]) / len(seeds)
        self.left = left
        whole = data.is_whole[rows]
        song, move = song_covariance(left["mid"][whole]), move_covariance(data.moves, MID_MOVES, True)
        z = Posterior(song, move, MID_SCALES, MODES_OF_DOUBT).modes(left["mid"])
        self.doubt = Regression(self.names, DOUBT_GROUPS, x, np.log((z ** 2).mean(axis=1) + 0.1)[:, None], DOUBT_PENALTY, np.ones(len(x)))
        root = np.sqrt(self.doubted(x))[:, None]
        self.song = {"mid": song_covariance((left["mid"] / root)[whole]), "width": song_covariance((left["width"] / root)[whole])}
        self.spread = np.concatenate([np.sqrt(np.mean((left[k] / root)[whole] ** 2, axis=0)) for k in ("mid", "width", "rest")])
        moves = {"mid": move, "width": move_covariance(data.moves, WIDTH_MOVES, False)}
        scales = {"mid": MID_SCALES, "width": WIDTH_SCALES}
        self.posterior = {kind: Posterior(self.song[kind], moves[kind], scales[kind], MODES[kind]) for kind in moves}
        self.shift = PUBLISHED_SHARE * published(np.median(targets["mid"][whole], axis=0))
        self.medians(data, rows & data.is_whole)

    def medians(self, data, rows):
        """The middle of all songs, as the profile has it: what is expected of its texture."""
        count = len(data.texture_names)
        self.texture = np.median(data.traits[rows], axis=0)[:count]
        unset = np.concatenate([self.texture, np.zeros(len(data.trait_names) - count)])[None]
        width, rest = self.expected("width", unset)[0], self.expected("rest", unset)[0]
        self.traits = traits(self.texture, width, rest[data.crest])
        mid = self.expected("mid", self.traits[None])[0]
        level = np.median(data.whole[np.unique(data.song[rows])][:, :BANDS][:, HEARD].mean(axis=1))
        self.features = np.concatenate([mid + level, mid + level + width, rest])

    def feature_spread(self):
        """Standard deviation per feature: of mid, of side (mid and width apart), of the rest."""
        mid, width, rest = self.spread[:BANDS], self.spread[BANDS:SPECTRUM], self.spread[SPECTRUM:]
        return np.concatenate([mid, np.sqrt(mid ** 2 + width ** 2), rest])

    def doubted(self, x):
        return np.exp(DOUBT_SHARE * (self.doubt.of(x) - self.doubt.bias))[:, 0]

    def expected(self, kind, x):
        return self.regression[kind].of(x) + (self.shift if kind == "mid" else 0.0)


def thirds():
    """From bands to third octaves, 25 Hz to 16 kHz, as the benches look at them."""
    out = np.zeros((28, BANDS))
    for n, hz in enumerate(1000 * 2.0 ** (np.arange(-15, 13) / 3)):
        place = min(max(np.log2(hz / 20) * 4 - 0.5, 0), BANDS - 1.001)
        out[n, int(place)], out[n, int(place) + 1] = 1 - place % 1, place % 1
    return out


WIDTH_FAULTS = ("narrow 8", "wide 6")
THIRDS, BOUND = thirds(), {"mid": 6.0, "width": 9.0}
over_heard = lambda v: v - v[..., 5:25].mean(axis=-1, keepdims=True)


def mended(model, kind, deviation, doubt, fault):
    """Share of a fault that is mended, per song."""
    f = centred(fault) if kind == "mid" else fault
    made = np.clip(model.posterior[kind].of(deviation - f, doubt)[0], -BOUND[kind], BOUND[kind])
    look = over_heard if kind == "mid" else (lambda v: v)
    f3, left = look(THIRDS @ f), look((f + made) @ THIRDS.T)
    return 1 - left @ f3 / (f3 @ f3)


def figures(model, faults, deviations, doubt):
    """Faults mended (median, quartiles), and how far songs are moved that have none."""
    out = {}
    made = np.clip(model.posterior["mid"].of(deviations["mid"], doubt)[0], -BOUND["mid"], BOUND["mid"])
    moved = np.abs(over_heard(made @ THIRDS.T)).mean(axis=1)
    out["none"] = (np.median(moved), np.percentile(moved, 90))
    for name, fault in faults.items():
        kind = "width" if name in WIDTH_FAULTS else "mid"
        share = mended(model, kind, deviations[kind], doubt, fault)
        out[name] = tuple(np.percentile(share, [50, 25, 75]))
    return out


def line(label, out):
    none = out["none"]
    words = " ".join(f"{name}:{v[0]:.2f}({v[1]:+.2f})" for name, v in out.items() if name != "none")
    return f"{label:8s} moved {none[0]:.2f} {none[1]:.2f} | {words}"


def report(model, data, check):
    whole = data.is_whole
    left = {kind: (v + (model.shift if kind == "mid" else 0.0))[whole] for kind, v in model.left.items()}
    doubt = model.doubted(data.traits[whole])
    print("left of the mid after the expectation, mean dB over third octaves:",
          round(float(np.abs(over_heard(model.left["mid"][whole] @ THIRDS.T)).mean()), 2), "of",
          round(float(np.abs(over_heard((data.mid - np.median(data.mid[whole], axis=0))[whole] @ THIRDS.T)).mean()), 2))
    print(line("held out", figures(model, data.faults, left, doubt)))
    for other, name in ((check, "others"),) if check else ():
        rows = other.is_whole
        apart = {k: model.expected(k, other.traits[rows]) - getattr(other, k)[rows] for k in ("mid", "width")}
        print("left of others:", round(float(np.abs(over_heard(apart["mid"] @ THIRDS.T)).mean()), 2))
        print(line(name, figures(model, data.faults, apart, model.doubted(other.traits[rows]))))


# What each part is worth: the same with one thing changed.
def without(*beginnings):
    """Every list of groups without those that begin so."""
    lists = {"GROUPS": GROUPS, "TEXTURE": TEXTURE, "STEADY": STEADY, "DOUBT_GROUPS": DOUBT_GROUPS}
    return {name: [g for g in groups if not g.startswith(beginnings)] for name, groups in lists.items()}


ABLATIONS = {
    "nothing told of the music": without(""),
    "without flatness": without("flatness_"),
    "without rises": without("rise_"),
    "without what moves together": without("together_"),
    "without onsets": without("onset_"),
    "without relative width": without("relative_width_"),
    "without relative crest": without("relative_crest_"),
    "not drawn to the published mean": {"PUBLISHED_SHARE": 0.0},
    "every song told as well as any": {"DOUBT_SHARE": 0.0},
    "one scale of 4 dB": {"MID_SCALES": ((4.0, 1.0),), "WIDTH_SCALES": ((4.0, 1.0),)},
    "scales further apart, 2.5 and 9 dB": {"MID_SCALES": ((2.5, 0.6), (9.0, 0.4))},
    "one scale of 2 dB": {"MID_SCALES": ((2.0, 1.0),), "WIDTH_SCALES": ((2.0, 1.0),)},
}


def ablations(data, check):
    for name, changed in ABLATIONS.items():
        kept = {key: globals()[key] for key in changed}
        globals().update(changed)
        print(f"-- {name}")
        report(Model(data), data, check)
        globals().update(kept)


class Graph:
    """An ONNX graph in the making."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name, value, kind=np.float32):
        from onnx import numpy_helper
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def node(self, op, inputs, output, **attributes):
        from onnx import helper
        self.nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def write(self, path, inputs, outputs):
        import onnx
        from onnx import TensorProto, helper
        io = lambda name, width: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
        graph = helper.make_graph(self.nodes, path.stem, [io(*i) for i in inputs], [io(*o) for o in outputs], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="goldmaster")
        onnx.checker.check_model(model, full_check=True)
        path.write_bytes(model.SerializeToString(deterministic=True))
        return sum(int(np.prod(c.dims)) for c in self.constants)


def export_expectation(model, path):
    """centre + (traits - centre's traits) B, all standardised; what is not told; its variance for this song."""
    g, r = Graph(), model.regression
    mean, spread = g.constant("mean", r["mid"].mean[None]), g.constant("spread_of_traits", r["mid"].spread[None])
    least, most = g.constant("least", np.float32(-STANDARD_CLIP)), g.constant("most", np.float32(STANDARD_CLIP))

    def standard(name):
        away = g.node("Sub", [name, mean], name + "_away")
        return g.node("Clip", [g.node("Div", [away, spread], name + "_scaled"), least, most], name + "_standard")

    matrix = np.concatenate([r["mid"].matrix, r["mid"].matrix + r["width"].matrix, r["rest"].matrix], axis=1)
    z, centre = standard("traits"), standard("centre_traits")
    change = g.node("MatMul", [g.node("Sub", [z, centre], "apart"), g.constant("matrix", matrix)], "change")
    g.node("Add", ["centre", change], "features")
    told = g.node("Gemm", [z, g.constant("doubt_w", DOUBT_SHARE * model.doubt.matrix),
                           g.constant("doubt_b", DOUBT_SHARE * (model.doubt.offset - model.doubt.bias))], "told")
    doubt = g.node("Exp", [told], "doubt")
    g.node("Mul", [g.node("Sqrt", [doubt], "root"), g.constant("usual", model.feature_spread()[None])], "spread")
    width = matrix.shape[1]
    return g.write(path, [("traits", matrix.shape[0]), ("centre", width), ("centre_traits", matrix.shape[0])],
                   [("features", width), ("spread", width), ("doubt", 1)])


def export_correction(model, path):
    """For mid and width: modes, evidence for every scale, their mean."""
    g = Graph()
    bounds = [g.constant("least", np.float32(-CLIP)), g.constant("most", np.float32(CLIP))]
    inside = g.node("Clip", ["deviation", *bounds], "inside")
    half, values, deviations = g.constant("half", np.float32(-0.5)), [], []
    last, axis = g.constant("last", [1], np.int64), g.constant("axis", [1], np.int64)
    centre = np.eye(BANDS) - np.outer(HEARD / HEARD.sum(), np.ones(BANDS))
    for kind, start in (("mid", 0), ("width", BANDS)):
        p = model.posterior[kind]
        into = np.zeros((SPECTRUM, len(p.variance)))
        into[start:start + BANDS] = (centre @ p.into) if kind == "mid" else p.into
        z = g.node("MatMul", [inside, g.constant(f"{kind}_into", into)], f"{kind}_z")
        square = g.node("Mul", [z, z], f"{kind}_square")
        evidence, gains, left = [], [], []
        for n, (scale, log_share) in enumerate(zip(p.scales, p.log_share)):
            name = f"{kind}_{n}"
            prior = g.constant(f"{name}_prior", (scale ** 2 * p.variance)[None])
            total = g.node("Add", [prior, "doubt"], f"{name}_total")
            misfit = g.node("Add", [g.node("Log", [total], f"{name}_log"), g.node("Div", [square, total], f"{name}_ratio")], f"{name}_misfit")
            sum_ = g.node("ReduceSum", [misfit, last], f"{name}_sum", keepdims=1)
            scaled = g.node("Mul", [sum_, half], f"{name}_scaled")
            evidence.append(g.node("Add", [scaled, g.constant(f"{name}_share", np.float32([[log_share]]))], f"{name}_evidence"))
            gains.append(g.node("Div", [prior, total], f"{name}_gain"))
            left.append(g.node("Mul", [gains[-1], "doubt"], f"{name}_left"))
        shares = g.node("Softmax", [g.node("Concat", evidence, f"{kind}_all", axis=1)], f"{kind}_shares", axis=1)
        mixed = {}
        for what, parts in (("gain", gains), ("left", left)):
            total = None
            for n, part in enumerate(parts):
                ends = [g.constant(f"{kind}_{what}_{n}_{end}", [at], np.int64) for end, at in (("from", n), ("to", n + 1))]
                share = g.node("Slice", [shares, *ends, axis], f"{kind}_{what}_{n}_own")
                weighted = g.node("Mul", [part, share], f"{kind}_{what}_{n}_weighted")
                total = weighted if total is None else g.node("Add", [total, weighted], f"{kind}_{what}_{n}_sum")
            mixed[what] = total
        made = g.node("Mul", [z, mixed["gain"]], f"{kind}_made")
        values.append(g.node("MatMul", [made, g.constant(f"{kind}_back", p.back.T)], f"{kind}_values"))
        variance = g.node("MatMul", [mixed["left"], g.constant(f"{kind}_back_squared", (p.back ** 2).T)], f"{kind}_variance")
        deviations.append(g.node("Sqrt", [variance], f"{kind}_deviations"))
    g.node("Concat", values, "values", axis=1)
    g.node("Concat", deviations, "deviations", axis=1)
    return g.write(path, [("deviation", SPECTRUM), ("doubt", 1)], [("values", SPECTRUM), ("deviations", SPECTRUM)])


def parity(data, model, count=4):
    """What the graphs must answer, computed in double precision."""
    single = lambda v: np.asarray(v, np.float32).astype(float)
    out = []
    for row in np.random.default_rng(0).choice(np.flatnonzero(data.is_whole), count, replace=False):
        of_song, centre, of_centre = single(data.traits[row]), single(model.features + 0.5), single(model.traits)
        kinds = {k: model.regression[k] for k in ("mid", "width", "rest")}
        change = {k: (r.standard(of_song) - r.standard(of_centre)) @ r.matrix for k, r in kinds.items()}
        features = centre + np.concatenate([change["mid"], change["mid"] + change["width"], change["rest"]])
        doubt = model.doubted(of_song[None])
        deviation = single(np.concatenate([model.expected("mid", of_song[None])[0] - data.mid[row],
                                           model.expected("width", of_song[None])[0] - data.width[row]]))
        answers = [model.posterior["mid"].of(centred(np.clip(deviation[None, :BANDS], -CLIP, CLIP)), doubt),
                   model.posterior["width"].of(deviation[None, BANDS:], doubt)]
        out.append({"traits": of_song.tolist(), "centre": centre.tolist(), "centre_traits": of_centre.tolist(),
                    "features": features.tolist(), "doubt": float(doubt[0]), "deviation": deviation.tolist(),
                    "values": np.concatenate([v[0] for v, _ in answers]).tolist(),
                    "deviations": np.concatenate([d[0] for _, d in answers]).tolist()})
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("--check", metavar="OTHER", help="data of songs by other artists to print figures on")
    parser.add_argument("--songs", metavar="LIST", help="train on the songs whose file names are in this list alone, one per line")
    parser.add_argument("--out", metavar="FOLDER", type=pathlib.Path, default=HERE, help="for weights/ and profiles/ (models/)")
    parser.add_argument("--ablations", action="store_true", help="print the figures with parts left out as well")
    a = parser.parse_args()
    data = Data(a.dataset, a.songs and set(pathlib.Path(a.songs).read_text().splitlines()))
    model = Model(data)
    check = Data(a.check) if a.check else None
    report(model, data, check)
    if a.ablations:
        ablations(data, check)
    for folder in ("weights", "profiles"):
        (a.out / folder).mkdir(parents=True, exist_ok=True)
    import blake3
    weights, hashes, count = a.out / "weights", {}, 0
    for name, export in (("expectation", export_expectation), ("correction", export_correction)):
        path = weights / f"{name}.onnx"
        count += export(model, path)
        hashes[f"{name}_blake3"] = blake3.blake3(path.read_bytes()).hexdigest()
    sidecar = hashes | {"features": data.names, "traits": data.trait_names, "parity": parity(data, model)}
    (weights / "one_click.json").write_text(json.dumps(sidecar, indent=1) + "\n")
    norm = {"version": 1, "name": "universal", "songs": len(data.artist),
            "loudness_lufs": [round(float(f(data.loudness)), 2) for f in (np.median, np.std)], "names": data.names,
            "median": model.features.round(3).tolist(), "spread": data.whole.std(axis=0).round(3).tolist(),
            "texture": model.texture.round(3).tolist()}
    (a.out / "profiles" / "universal.json").write_text(json.dumps(norm, indent=1) + "\n")
    print(f"{count} numbers in the graphs")


if __name__ == "__main__":
    main()
