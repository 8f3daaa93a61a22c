/** How far each platform's Markdown goes. */
export interface Dialect {
  /** A lone line end: DingTalk joins the lines, as CommonMark does; the others break. */
  readonly softBreak: "space" | "break";
  /** `\*` is a plain asterisk. */
  readonly backslash: boolean;
  /** `&lt;` is `<`. */
  readonly entities: boolean;
  readonly fences: boolean;
  readonly lists: boolean;
  /** `*so*`, `_so_`, `~~so~~`; `**so**` works everywhere. */
  readonly emphasis: boolean;
  /** `<font color="…">`. */
  readonly font: boolean;
  /** `<at id=…></at>` or `<@…>`. */
  readonly mention: "lark" | "wecom" | null;
}

export const DINGTALK: Dialect = {
  softBreak: "space",
  backslash: true,
  entities: true,
  fences: true,
  lists: true,
  emphasis: true,
  font: true,
  mention: null,
};

export const LARK: Dialect = {
  softBreak: "break",
  backslash: true,
  entities: true,
  fences: true,
  lists: true,
  emphasis: true,
  font: true,
  mention: "lark",
};

/** The robot's `markdown`: headings, bold, links, inline code, quotes and three font colours, nothing else. */
export const WECOM: Dialect = {
  softBreak: "break",
  backslash: false,
  entities: false,
  fences: false,
  lists: false,
  emphasis: false,
  font: true,
  mention: "wecom",
};

/** `markdown_v2`: more formatting, but neither colour nor mention. */
export const WECOM_V2: Dialect = {
  softBreak: "break",
  backslash: true,
  entities: false,
  fences: true,
  lists: true,
  emphasis: true,
  font: false,
  mention: null,
};
