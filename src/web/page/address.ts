/** The address of the same page with some fields changed; `null` or an empty text takes a field out. What is asked next begins at the first page. */
export function withFields(
  path: string,
  params: URLSearchParams,
  changes: Readonly<Record<string, string | readonly string[] | null>>,
): string {
  const next = new URLSearchParams(
    [...params].filter(([name, value]) => name !== "cursor" && value !== ""),
  );
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name);
    if (value === null || value === "") continue;
    if (typeof value === "string") next.set(name, value);
    else for (const one of value) next.append(name, one);
  }
  const query = next.toString();
  // An empty reference would be the address as it is, with its fields.
  return query === "" ? path || "?" : `${path}?${query}`;
}
