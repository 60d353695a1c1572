// The waveform of what is heard.

let drawn = null;

/** Draws the peaks of a sound and the level inside them; nothing where there is no sound. */
export function drawWave(canvas, buffer, colour) {
  const pen = canvas.getContext("2d");
  const { width, height } = canvas;
  const fill = getComputedStyle(document.documentElement).getPropertyValue(colour);
  if (drawn?.buffer === buffer && drawn?.fill === fill) return;
  drawn = { buffer, fill };
  pen.clearRect(0, 0, width, height);
  if (!buffer) return;
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, n) => buffer.getChannelData(n));
  const columns = Array.from({ length: width }, (_, x) => {
    const [from, to] = [x, x + 1].map((edge) => Math.floor((edge * buffer.length) / width));
    let peak = 0, power = 0;
    for (const channel of channels) {
      for (let n = from; n < to; n++) {
        peak = Math.max(peak, Math.abs(channel[n]));
        power += channel[n] * channel[n];
      }
    }
    return [peak, Math.sqrt(power / Math.max(1, (to - from) * channels.length))];
  });
  const highest = Math.max(1e-3, ...columns.map(([peak]) => peak));
  pen.fillStyle = fill;
  [0.35, 1].forEach((alpha, which) => {
    pen.globalAlpha = alpha;
    columns.forEach((column, x) => {
      const half = (column[which] / highest) * (height / 2 - 4);
      pen.fillRect(x, height / 2 - half, 1, 2 * half);
    });
  });
}
