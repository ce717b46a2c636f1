// Command-line options of the benchmark scripts: `--name VALUE` for the names in `defaults`, everything else is rest.

/** Options whose values are numbers. */
export function numberOptions(args, defaults) {
  const { options, rest } = textOptions(args, defaults);
  for (const [name, value] of Object.entries(options)) {
    const number = Number(value);
    if (Number.isNaN(number)) throw new Error(`--${name} takes a number, not ${JSON.stringify(value)}`);
    options[name] = number;
  }
  return { options, rest };
}

/** Options whose values are texts. */
export function textOptions(args, defaults) {
  const options = { ...defaults };
  const rest = [];
  for (let i = 0; i < args.length; i++) {
    if (!args[i].startsWith("--")) {
      rest.push(args[i]);
      continue;
    }
    const name = args[i].slice(2);
    if (!(name in defaults))
      throw new Error(
        `unknown option --${name}; there are: ${Object.keys(defaults)
          .map((n) => `--${n}`)
          .join(" ")}`,
      );
    options[name] = args[++i];
  }
  return { options, rest };
}
