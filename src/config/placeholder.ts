/** `[your_token]`, with what may stand beside a value in a URI; an IPv6 address has colons in it. */
const BRACKETED = /(?<=[/:@=?&(])\[[a-z][\w .-]*\](?=[/:@?&)]|$)/giu;

/**
 * Places of a `--sink` URI where documentation's `[your_token]` was left as it is, or filled in between the brackets.
 * Neither is said: it may be the secret itself.
 * @param free parameters whose value may well be in brackets (`label=[prod]`, `reason=[A-Z]`): there only `[your…` is one
 */
export function placeholders(uri: string, free: readonly string[]): readonly string[] {
  const places = [...uri.matchAll(BRACKETED)].flatMap(({ 0: text, index }) => {
    const parameter = /[?&](\w+)=[^?&]*$/u.exec(uri.slice(0, index))?.[1];
    if (parameter !== undefined && free.includes(parameter) && !/^\[your/iu.test(text)) return [];
    return parameter ?? "the address";
  });
  return [...new Set(places)];
}
