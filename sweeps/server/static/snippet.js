// The view of the curves as Python: a few lines that draw the same numbers from the cube.

const literal = (value) => (typeof value === "boolean" ? (value ? "True" : "False")
  : typeof value === "number" ? String(value) : value === "inf" ? 'float("inf")' : JSON.stringify(value));

export function snippet({ store, variable, x, hue, at, largest, logX, logY }) {
  const fixed = at.length ? `.sel(${at.map(([d, v]) => `${d}=${literal(v)}`).join(", ")})` : "";
  const top = largest.length ? `.max([${largest.map((d) => JSON.stringify(d)).join(", ")}], keep_attrs=True)` : "";
  const options = [`x=${JSON.stringify(x)}`, ...(hue ? [`hue=${JSON.stringify(hue)}`] : []), ...(logX ? ['xscale="log"'] : []), ...(logY ? ['yscale="log"'] : [])];
  return `import matplotlib.pyplot as plt\nimport photogap\n\nds = photogap.open(${JSON.stringify(store)})\nvalues = ds[${JSON.stringify(variable)}]${fixed}${top}\nvalues.plot.line(${options.join(", ")})\nplt.show()\n`;
}
