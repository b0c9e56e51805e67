// Lines in a plane of cells: the border of a region, and level lines of a quantity.

// Edges between cells above a threshold and cells not above it, as [i, j, k, l] in units of cells; NaN has no side.
export function border(values, nx, ny, threshold) {
  const side = (k) => (values[k] > threshold ? 1 : values[k] <= threshold ? 0 : NaN), out = [];
  for (let j = 0; j < ny; j++) {
    for (let i = 0; i < nx; i++) {
      const here = side(j * nx + i), right = i + 1 < nx ? side(j * nx + i + 1) : NaN, next = j + 1 < ny ? side((j + 1) * nx + i) : NaN;
      if (here + right === 1) out.push([i + 1, j, i + 1, j + 1]);
      if (here + next === 1) out.push([i, j + 1, i + 1, j + 1]);
    }
  }
  return out;
}

// Level lines between the middles of cells, by marching squares; a square with a NaN at a corner has none.
export function contours(values, nx, ny, level) {
  const out = [];
  for (let j = 0; j + 1 < ny; j++) {
    for (let i = 0; i + 1 < nx; i++) {
      const k = j * nx + i, a = values[k] - level, b = values[k + 1] - level, c = values[k + nx + 1] - level, d = values[k + nx] - level;
      const kind = (a > 0) | ((b > 0) << 1) | ((c > 0) << 2) | ((d > 0) << 3);
      if (kind === 0 || kind === 15 || Number.isNaN(a + b + c + d)) continue;
      const x = i + 0.5, y = j + 0.5;
      const cut = (p, q) => p / (p - q);
      const bottom = () => [x + cut(a, b), y], right = () => [x + 1, y + cut(b, c)], top = () => [x + cut(d, c), y + 1], left = () => [x, y + cut(a, d)];
      const line = (p, q) => out.push([...p(), ...q()]);
      // At a saddle the middle decides which corners belong together.
      const joined = a + b + c + d > 0;
      if (kind === 1 || kind === 14) line(left, bottom);
      else if (kind === 2 || kind === 13) line(bottom, right);
      else if (kind === 4 || kind === 11) line(right, top);
      else if (kind === 8 || kind === 7) line(top, left);
      else if (kind === 3 || kind === 12) line(left, right);
      else if (kind === 6 || kind === 9) line(bottom, top);
      else if ((kind === 5) === joined) { line(left, top); line(bottom, right); }
      else { line(left, bottom); line(right, top); }
    }
  }
  return out;
}
