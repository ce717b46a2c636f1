// Reads single values from a server's /metrics.

/** The sum of all series of a metric; undefined where there is none. */
export async function metricSum(url, name) {
  const text = await fetch(`${url}/metrics`).then(
    (response) => response.text(),
    () => "",
  );
  let sum;
  for (const line of text.split("\n")) {
    const rest = line.slice(name.length);
    if (!line.startsWith(name) || !(rest.startsWith(" ") || rest.startsWith("{"))) continue;
    sum = (sum ?? 0) + Number(line.slice(line.lastIndexOf(" ") + 1));
  }
  return sum;
}
