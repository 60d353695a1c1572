// Plays several sounds at the same place and loudness; one is heard, switched without a gap.
const FADE_S = 0.01;
/** A sound starts so much later than it is asked to, so that all of them can be set up. */
const START_S = 0.03;
/** What is closer to the end than this is at the end, seconds. */
const END_S = 0.05;

async function fetched(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error("a sound cannot be loaded");
  return answer.arrayBuffer();
}

export class Player {
  #context = null;
  #sounds = new Map();
  #chosen = null;
  #startedAt = 0;
  #offset = 0;
  #playing = false;
  #matched = true;
  /** What is repeated, seconds from and to; null where nothing is. */
  #loop = null;
  /** What is being loaded, by its name. */
  #loading = new Map();
  /** Counts what was asked of the player, so that a late start is known as one. */
  #attempt = 0;

  /**
   * `changed` is called whenever something is to be shown anew. Play ends after `seconds`; without them every sound is
   * repeated for as long as it is heard.
   */
  constructor(changed, seconds = null) {
    this.changed = changed;
    this.seconds = seconds;
  }

  get playing() { return this.#playing; }
  get chosen() { return this.#chosen; }
  get loop() { return this.#loop; }

  /** What runs, where it was started and at which gain it is, for whoever wants to check it. */
  get running() {
    const running = [...this.#sounds].filter(([, s]) => s.source);
    return running.map(([id, s]) => ({ id, gain: s.gain.gain.value, level: this.#level(s), startedAt: s.startedAt, offset: s.offset }));
  }

  has(id) { return this.#sounds.has(id); }
  buffer(id) { return this.#sounds.get(id)?.buffer; }
  /** The gain that a sound is heard at. */
  gain(id) { return this.#level(this.#sounds.get(id)); }

  /**
   * Loads a sound from `address`, its bytes as `read` gives them; one with the same name is replaced while it plays. What was
   * asked for last counts.
   */
  load(id, address, lufs, read = fetched) {
    const known = this.#loading.get(id);
    if (known?.address === address) return known.done;
    if (!known && this.#sounds.get(id)?.address === address) return Promise.resolve();
    const mine = { address };
    this.#loading.set(id, mine);
    mine.done = this.#take(id, mine, lufs, read).finally(() => { if (this.#loading.get(id) === mine) this.#loading.delete(id); });
    return mine.done;
  }

  async #take(id, mine, lufs, read) {
    this.#context ??= new AudioContext();
    const buffer = await this.#context.decodeAudioData(await read(mine.address));
    if (this.#loading.get(id) !== mine) return;
    this.#stop(this.#sounds.get(id));
    const sound = { address: mine.address, lufs, buffer };
    this.#sounds.set(id, sound);
    this.#chosen ??= id;
    if (this.#playing) this.#start(sound, this.#context.currentTime + START_S);
    this.#balance();
    this.changed();
  }

  remove(id) {
    this.#loading.delete(id);
    this.#stop(this.#sounds.get(id));
    this.#sounds.delete(id);
    if (this.#chosen === id) this.#chosen = this.#sounds.keys().next().value ?? null;
    this.#balance();
  }

  clear() {
    this.pause();
    this.#loading.clear();
    this.#sounds.clear();
    this.#chosen = null;
    this.#offset = 0;
  }

  /** One that is not loaded yet is heard when it is. */
  choose(id) {
    this.#chosen = id;
    this.#balance();
    this.changed();
  }

  set matched(on) {
    this.#matched = on;
    this.#balance();
  }

  /** Length of what is played, seconds. */
  get length() { return this.seconds ?? this.buffer(this.#chosen)?.duration ?? 0; }

  /** Place in what is played, seconds. */
  get currentTime() {
    if (!this.length) return 0;
    const at = this.#elapsed();
    return this.seconds === null && !this.#loop ? at % this.length : Math.min(at, this.length);
  }

  /** Seconds since the start, counted on where sounds are repeated as a whole: each has a length of its own. */
  #elapsed() { return this.#playing ? this.#placeAt(this.#context.currentTime) : this.#offset; }

  #placeAt(time) {
    const at = this.#offset + Math.max(0, time - this.#startedAt);
    if (!this.#isInLoop || at < this.#loop.to) return at;
    return this.#loop.from + ((at - this.#loop.from) % (this.#loop.to - this.#loop.from));
  }

  /** Whether the loop is played, and not what follows it. */
  get #isInLoop() { return this.#loop !== null && this.#offset < this.#loop.to; }

  async play() {
    if (!this.#context || this.#playing) return;
    const mine = ++this.#attempt;
    await this.#context.resume();
    if (mine !== this.#attempt) return;
    if (this.seconds !== null && this.#offset >= this.seconds - END_S) this.#offset = 0;
    this.#playing = true;
    this.#startedAt = this.#context.currentTime + START_S;
    for (const sound of this.#sounds.values()) this.#start(sound, this.#startedAt);
    this.#balance();
    this.changed();
  }

  pause() {
    this.#attempt += 1;
    this.#offset = this.#elapsed();
    this.#playing = false;
    for (const sound of this.#sounds.values()) this.#stop(sound);
    this.changed();
  }

  seek(at) {
    const playing = this.#playing;
    if (playing) this.pause();
    this.#offset = Math.max(0, Math.min(at, this.length));
    if (playing) this.play(); else this.changed();
  }

  /** Repeats what lies between `from` and `to` seconds, or nothing. What plays elsewhere goes on there. */
  repeat(from = null, to = null) {
    const at = this.currentTime;
    this.#loop = from === null ? null : { from: Math.max(0, from), to: Math.min(this.length, to) };
    const isInside = !this.#loop || (at >= this.#loop.from && at < this.#loop.to);
    if (this.#playing) this.seek(isInside ? at : this.#loop.from); else this.changed();
  }

  // All sounds run all the time, in step; only their gains differ.
  #start(sound, at) {
    this.#stop(sound);
    const source = this.#context.createBufferSource();
    const gain = this.#context.createGain();
    const { duration } = sound.buffer;
    const place = this.#placeAt(at);
    source.buffer = sound.buffer;
    // A sound that ends before the loop does is silent for the rest of it.
    source.loop = this.#loop ? this.#loop.to <= duration + 0.1 : this.seconds === null;
    if (this.#loop && source.loop) [source.loopStart, source.loopEnd] = [this.#loop.from, Math.min(this.#loop.to, duration)];
    gain.gain.value = 0;
    source.connect(gain).connect(this.#context.destination);
    const offset = this.#loop || !source.loop ? Math.min(place, duration) : place % duration;
    source.start(at, offset);
    source.onended = () => this.#ended(sound, source);
    Object.assign(sound, { source, gain, startedAt: at, offset });
  }

  #ended(sound, source) {
    const isOver = this.#elapsed() >= this.length - END_S && !this.#isInLoop;
    if (!this.#playing || sound.source !== source || !isOver) return;
    this.pause();
    this.#offset = 0;
    this.changed();
  }

  #stop(sound) {
    if (!sound?.source) return;
    this.#ramp(sound, 0);
    sound.source.stop(this.#context.currentTime + FADE_S);
    sound.source = null;
  }

  // Never up: nothing clips.
  #level(sound) {
    const isKnown = (lufs) => lufs !== null && lufs !== undefined;
    const known = [...this.#sounds.values()].map((s) => s.lufs).filter(isKnown);
    if (!this.#matched || !isKnown(sound.lufs)) return 1;
    return Math.pow(10, (Math.min(...known) - sound.lufs) / 20);
  }

  #balance() {
    for (const [id, sound] of this.#sounds) {
      if (sound.source) this.#ramp(sound, id === this.#chosen ? this.#level(sound) : 0);
    }
  }

  #ramp({ gain: { gain } }, to) {
    const now = this.#context.currentTime;
    gain.cancelScheduledValues(now);
    gain.setValueAtTime(gain.value, now);
    gain.linearRampToValueAtTime(to, now + FADE_S);
  }
}
