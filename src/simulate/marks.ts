/** Formatted text as a chat draws it, whatever dialect it was written in. */
export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "break" }
  | { readonly kind: "strong" | "emphasis" | "strike"; readonly children: readonly Inline[] }
  | { readonly kind: "coloured"; readonly colour: string; readonly children: readonly Inline[] }
  | { readonly kind: "link"; readonly url: string; readonly children: readonly Inline[] }
  | { readonly kind: "image"; readonly url: string; readonly alt: string }
  | { readonly kind: "mention"; readonly who: string };

export type Block =
  | { readonly kind: "heading"; readonly level: number; readonly children: readonly Inline[] }
  | { readonly kind: "paragraph"; readonly children: readonly Inline[] }
  | { readonly kind: "quote"; readonly blocks: readonly Block[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "list"; readonly ordered: boolean; readonly items: readonly Inline[][] }
  | { readonly kind: "rule" };

/** Unformatted text: nothing in it means anything, line ends stand. */
export function plain(text: string): Block {
  const children: Inline[] = [];
  text.split("\n").forEach((line, index) => {
    if (index > 0) children.push({ kind: "break" });
    if (line !== "") children.push({ kind: "text", text: line });
  });
  return { kind: "paragraph", children };
}

/** What a person reads. */
export function textOf(inlines: readonly Inline[]): string {
  return inlines
    .map((inline) => {
      switch (inline.kind) {
        case "text":
        case "code":
          return inline.text;
        case "break":
          return "\n";
        case "image":
          return inline.alt;
        case "mention":
          return `@${inline.who}`;
        case "strong":
        case "emphasis":
        case "strike":
        case "coloured":
        case "link":
          return textOf(inline.children);
      }
    })
    .join("");
}

export function blockText(block: Block): string {
  switch (block.kind) {
    case "heading":
    case "paragraph":
      return textOf(block.children);
    case "quote":
      return block.blocks.map(blockText).join("\n");
    case "code":
      return block.text;
    case "list":
      return block.items.map((item) => textOf(item)).join("\n");
    case "rule":
      return "";
  }
}

/** The targets of links and images, in order. */
export function linksIn(blocks: readonly Block[]): string[] {
  return blocks.flatMap((block) => {
    switch (block.kind) {
      case "heading":
      case "paragraph":
        return inlineLinks(block.children);
      case "quote":
        return linksIn(block.blocks);
      case "list":
        return block.items.flatMap((item) => inlineLinks(item));
      case "code":
      case "rule":
        return [];
    }
  });
}

function inlineLinks(inlines: readonly Inline[]): string[] {
  return inlines.flatMap((inline) => {
    switch (inline.kind) {
      case "link":
        return [inline.url, ...inlineLinks(inline.children)];
      case "image":
        return [inline.url];
      case "strong":
      case "emphasis":
      case "strike":
      case "coloured":
        return inlineLinks(inline.children);
      case "text":
      case "code":
      case "break":
      case "mention":
        return [];
    }
  });
}
