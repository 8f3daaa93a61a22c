/** Redraws the chats when something came; without it the page reloads itself every five seconds. */
export const LIVE_SCRIPT = `"use strict";
const state = document.querySelector(".state");
state.hidden = false;
state.textContent = document.body.dataset.live;

async function look() {
  if (document.hidden) return;
  try {
    const main = document.querySelector("main");
    const version = await (await fetch("/version")).text();
    if (version !== main.dataset.version) {
      const text = await (await fetch(location.href)).text();
      const next = new DOMParser().parseFromString(text, "text/html").querySelector("main");
      const places = new Map();
      for (const chat of main.querySelectorAll("[data-chat]"))
        places.set(chat.dataset.chat, chat.querySelector(".scroll").scrollTop);
      main.replaceWith(next);
      for (const chat of next.querySelectorAll("[data-chat]"))
        chat.querySelector(".scroll").scrollTop = places.get(chat.dataset.chat) ?? 0;
    }
    state.textContent = document.body.dataset.live;
    state.classList.remove("lost");
  } catch {
    state.textContent = document.body.dataset.lost;
    state.classList.add("lost");
  }
}

async function watch() {
  await look();
  setTimeout(watch, 1000);
}
watch();
`;
