/** Token and key material, as platforms make it: no name is like that. */
const MATERIAL = /(?:[0-9a-f]-?){24}|^(?=.{16})(?:\D*\d){6}/iu;
/** Where a name ends and something else begins. */
const NAME = /^[^\s:/=?&@%+#"'`]*/u;
const NAME_MAX = 63;
const WORD = /^-{0,2}\p{L}[\p{L}_-]{0,19}$/u;

/**
 * A name as a message may repeat it. What is long, or no word, may be a secret that lost its place (`secret:SEC…` without a space, a URL
 * where a type belongs): of that at most the first word is said.
 */
export function nameShown(name: string): string {
  const [word = ""] = NAME.exec(name) ?? [];
  if (word === name && word.length <= NAME_MAX && !MATERIAL.test(word)) return name;
  return `${WORD.test(word) && word !== name ? word : ""}…`;
}
