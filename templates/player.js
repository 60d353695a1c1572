// Plays several sounds at the same place and loudness; one is heard, switched without a gap.
const FADE_S = 0.01;

export class Player {
  #context = null;
  #sounds = new Map();
  #chosen = null;
  #startedAt = 0;
  #offset = 0;
  #playing = false;
  #matched = true;
  /** What is being loaded, by its name. */
  #loading = new Map();
  /** Counts what was asked of the player, so that a late start is known as one. */
  #attempt = 0;

  /** `changed` is called whenever something is to be shown anew. */
  constructor(changed) {
    this.changed = changed;
  }

  get playing() { return this.#playing; }
  get chosen() { return this.#chosen; }

  /** What runs and at which gain, for whoever wants to check it. */
  get running() {
    return [...this.#sounds].filter(([, s]) => s.source).map(([id, s]) => ({ id, gain: s.gain.gain.value, level: this.#level(s) }));
  }

  has(id) { return this.#sounds.has(id); }
  url(id) { return this.#sounds.get(id)?.url; }
  buffer(id) { return this.#sounds.get(id)?.buffer; }

  /** Loads a sound; one with the same name is replaced while it plays. What was asked for last counts. */
  load(id, url, lufs) {
    const known = this.#loading.get(id);
    if (known?.url === url) return known.done;
    if (!known && this.url(id) === url) return Promise.resolve();
    const mine = { url };
    this.#loading.set(id, mine);
    mine.done = this.#fetch(id, mine, lufs).finally(() => { if (this.#loading.get(id) === mine) this.#loading.delete(id); });
    return mine.done;
  }

  async #fetch(id, mine, lufs) {
    const { url } = mine;
    this.#context ??= new AudioContext();
    const answer = await fetch(url);
    if (!answer.ok) throw new Error("a sound cannot be loaded");
    const buffer = await this.#context.decodeAudioData(await answer.arrayBuffer());
    if (this.#loading.get(id) !== mine) return;
    this.#stop(this.#sounds.get(id));
    const sound = { url, lufs, buffer };
    this.#sounds.set(id, sound);
    if (this.#chosen === null) this.#chosen = id;
    if (this.#playing) this.#start(sound, this.#context.currentTime + 0.02);
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

  choose(id) {
    if (!this.has(id)) return;
    this.#chosen = id;
    this.#balance();
    this.changed();
  }

  set matched(on) {
    this.#matched = on;
    this.#balance();
  }

  /** Length of what is heard, seconds. */
  get length() { return this.buffer(this.#chosen)?.duration ?? 0; }

  /** Place in what is heard, seconds. */
  get currentTime() {
    if (!this.length) return 0;
    return this.#elapsed() % this.length;
  }

  #elapsed() {
    return this.#playing ? this.#offset + Math.max(0, this.#context.currentTime - this.#startedAt) : this.#offset;
  }

  async play() {
    if (!this.#context || this.#playing) return;
    const mine = ++this.#attempt;
    await this.#context.resume();
    if (mine !== this.#attempt) return;
    this.#playing = true;
    this.#startedAt = this.#context.currentTime + 0.03;
    for (const sound of this.#sounds.values()) this.#start(sound, this.#startedAt);
    this.#balance();
    this.changed();
  }

  pause() {
    this.#attempt += 1;
    // Not reduced to the length of what is heard: others may be longer.
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

  // All sounds run all the time, in step; only their gains differ.
  #start(sound, at) {
    this.#stop(sound);
    const source = this.#context.createBufferSource();
    const gain = this.#context.createGain();
    source.buffer = sound.buffer;
    source.loop = true;
    gain.gain.value = 0;
    source.connect(gain).connect(this.#context.destination);
    source.start(at, (this.#offset + Math.max(0, at - this.#startedAt)) % sound.buffer.duration);
    sound.source = source;
    sound.gain = gain;
  }

  #stop(sound) {
    if (!sound?.source) return;
    const now = this.#context.currentTime;
    sound.gain.gain.cancelScheduledValues(now);
    sound.gain.gain.setValueAtTime(sound.gain.gain.value, now);
    sound.gain.gain.linearRampToValueAtTime(0, now + FADE_S);
    sound.source.stop(now + FADE_S);
    sound.source = null;
  }

  // Never up: nothing clips.
  #level(sound) {
    const known = [...this.#sounds.values()].map((s) => s.lufs).filter((lufs) => lufs !== null && lufs !== undefined);
    if (!this.#matched || sound.lufs === null || sound.lufs === undefined || !known.length) return 1;
    return Math.pow(10, (Math.min(...known) - sound.lufs) / 20);
  }

  #balance() {
    if (!this.#context) return;
    const now = this.#context.currentTime;
    for (const [id, sound] of this.#sounds) {
      if (!sound.source) continue;
      sound.gain.gain.cancelScheduledValues(now);
      sound.gain.gain.setValueAtTime(sound.gain.gain.value, now);
      sound.gain.gain.linearRampToValueAtTime(id === this.#chosen ? this.#level(sound) : 0, now + FADE_S);
    }
  }
}
