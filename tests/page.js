// Drives a page as a listener would; the promise is for what came of it, as JSON.
window.examined = (async () => {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const result = { violations: [] };
  document.addEventListener("securitypolicyviolation", (event) => result.violations.push(event.violatedDirective));

  // BS.1770-5 Annex 1 at 48 kHz, gated.
  async function loudness(buffer, gainDb) {
    const rate = 48000;
    const context = new OfflineAudioContext(buffer.numberOfChannels, Math.ceil(buffer.duration * rate), rate);
    const source = context.createBufferSource();
    const gain = context.createGain();
    const shelf = context.createIIRFilter([1.53512485958697, -2.69169618940638, 1.19839281085285], [1, -1.69065929318241, 0.73248077421585]);
    const highPass = context.createIIRFilter([1, -2, 1], [1, -1.99004745483398, 0.99007225036621]);
    source.buffer = buffer;
    gain.gain.value = Math.pow(10, gainDb / 20);
    source.connect(gain).connect(shelf).connect(highPass).connect(context.destination);
    source.start();
    const weighted = await context.startRendering();
    const powers = [];
    for (let start = 0; start + 0.4 * rate <= weighted.length; start += 0.1 * rate) {
      let power = 0;
      for (let channel = 0; channel < weighted.numberOfChannels; channel++) {
        const samples = weighted.getChannelData(channel).subarray(start, start + 0.4 * rate);
        power += samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
      }
      powers.push(power);
    }
    const lufs = (power) => -0.691 + 10 * Math.log10(power);
    const mean = (values) => values.reduce((sum, x) => sum + x, 0) / values.length;
    const loud = powers.filter((power) => lufs(power) > -70);
    const gate = lufs(mean(loud)) - 10;
    return lufs(mean(loud.filter((power) => lufs(power) > gate)));
  }

  try {
    if (window.goldmaster) {
      const { player, load } = window.goldmaster;
      const radios = [...document.querySelectorAll('input[name="sound"]')];
      const told = JSON.parse(document.getElementById("sounds").textContent);
      await load();
      result.sounds = told.map((sound) => sound.id);
      result.durations = told.map((sound) => player.buffer(sound.id).duration);
      result.matched_lufs = [];
      for (const sound of told) {
        result.matched_lufs.push(await loudness(player.buffer(sound.id), 20 * Math.log10(player.gain(sound.id))));
      }
      document.getElementById("matched").click();
      result.true_gains = told.map((sound) => player.gain(sound.id));
      document.getElementById("matched").click();

      document.getElementById("play").click();
      for (let n = 0; n < 100 && !(player.currentTime > 0.3); n++) await wait(50);
      result.switches = [];
      for (const radio of [...radios, radios[0]]) {
        const before = player.currentTime;
        const clock = performance.now();
        radio.click();
        await wait(150);
        const passed = (performance.now() - clock) / 1000;
        result.switches.push({
          to: radio.value,
          chosen: player.chosen,
          drift_s: player.currentTime - before - passed,
          audible: player.running.filter((sound) => sound.gain > 1e-4).map((sound) => sound.id),
          starts: [...new Set(player.running.map((sound) => sound.startedAt + "/" + sound.offset))].length,
          shown: [...document.querySelectorAll(".wave")].filter((wave) => !wave.hidden).map((wave) => wave.dataset.sound),
        });
      }
      player.repeat(1.0, 1.5);
      await wait(1500);
      result.looped_at = player.currentTime;
      player.repeat();
      const places = [...document.querySelectorAll(".place")];
      places[places.length - 1].click();
      await wait(80);
      const parts = told.find((sound) => sound.id === player.chosen).parts;
      result.loudest = { at: player.currentTime, told: parts[parts.length - 1].from_s };
      document.getElementById("play").click();
      await wait(50);
      const still = player.currentTime;
      await wait(100);
      result.pauses = player.currentTime === still && !player.playing;
      dispatchEvent(new KeyboardEvent("keydown"));
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "2", bubbles: true }));
      result.key_2 = player.chosen;
    }
    result.figures = [...document.querySelectorAll("figure")].map((figure) => {
      const shapes = [...figure.querySelectorAll(".field .line, .field .area, .field .mark")];
      const drawn = shapes.filter((shape) => { const box = shape.getBoundingClientRect(); return box.width > 4 && box.width + box.height > 20; });
      return { id: figure.id, drawn: drawn.length, summary: figure.querySelector("figcaption").textContent.length, rows: figure.querySelectorAll("tbody tr").length };
    });
    result.overflow_px = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    result.requests = performance.getEntriesByType("resource").map((entry) => entry.name).filter((name) => !/^(data|blob):/.test(name));
  } catch (error) {
    result.fault = String(error && error.stack || error);
  }
  return JSON.stringify(result);
})();
