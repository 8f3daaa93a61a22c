import { html, type Html } from "../web/server.ts";
import type { Block, Inline } from "./marks.ts";
import type { Part } from "./message.ts";

/** The colours Lark's and WeCom's `<font>` know, by the class that draws them. */
const INKS: ReadonlyMap<string, string> = new Map([
  ["red", "red"],
  ["warning", "orange"],
  ["orange", "orange"],
  ["green", "green"],
  ["info", "green"],
  ["blue", "blue"],
  ["grey", "grey"],
  ["gray", "grey"],
  ["comment", "grey"],
]);

/** All text goes through `html`, which escapes it. */
export function drawParts(parts: readonly Part[]): Html[] {
  return parts.map((part) => {
    switch (part.kind) {
      case "heading":
        return html`<p class="lead">${part.text}</p>`;
      case "blocks":
        return html`<div class="${part.fine ? "fine" : "prose"}">${drawBlocks(part.blocks)}</div>`;
      case "divider":
        return html`<hr />`;
      case "buttons":
        return html`<p class="buttons">
          ${part.buttons.map((button) => drawLink(button.url ?? "", html`${button.label}`, "button"))}
        </p>`;
      case "columns":
        return html`<div class="columns">
          ${part.columns.map((column) => html`<div>${drawParts(column)}</div>`)}
        </div>`;
    }
  });
}

function drawBlocks(blocks: readonly Block[]): Html[] {
  return blocks.map((block) => {
    switch (block.kind) {
      case "heading":
        return html`<p class="h${Math.min(block.level, 6)}">${drawInlines(block.children)}</p>`;
      case "paragraph":
        return html`<p>${drawInlines(block.children)}</p>`;
      case "quote":
        return html`<blockquote>${drawBlocks(block.blocks)}</blockquote>`;
      case "code":
        return html`<pre><code>${block.text}</code></pre>`;
      case "list":
        return html`<ul class="${block.ordered ? "ordered" : "bullets"}">
          ${block.items.map((item) => html`<li>${drawInlines(item)}</li>`)}
        </ul>`;
      case "rule":
        return html`<hr />`;
    }
  });
}

function drawInlines(inlines: readonly Inline[]): Html[] {
  return inlines.map((inline) => {
    switch (inline.kind) {
      case "text":
        return html`${inline.text}`;
      case "code":
        return html`<code>${inline.text}</code>`;
      case "break":
        return html`<br />`;
      case "strong":
        return html`<strong>${drawInlines(inline.children)}</strong>`;
      case "emphasis":
        return html`<em>${drawInlines(inline.children)}</em>`;
      case "strike":
        return html`<s>${drawInlines(inline.children)}</s>`;
      case "coloured":
        return html`<span class="ink-${INKS.get(inline.colour) ?? "plain"}"
          >${drawInlines(inline.children)}</span
        >`;
      case "link":
        return drawLink(inline.url, html`${drawInlines(inline.children)}`, "");
      case "image":
        return drawLink(inline.url, html`▣ ${inline.alt}`, "");
      case "mention":
        return html`<span class="mention">@${inline.who}</span>`;
    }
  });
}

/** Only http and https lead anywhere; other targets are shown, not followed. */
function drawLink(url: string, label: Html, style: string): Html {
  if (!/^https?:\/\//i.test(url))
    return html`<span class="dead ${style}" title="${url}">${label}</span>`;
  return html`<a
    class="${style}"
    href="${url}"
    title="${url}"
    target="_blank"
    rel="noopener noreferrer nofollow"
    >${label}</a
  >`;
}
