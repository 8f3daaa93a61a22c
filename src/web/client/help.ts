/** Opens the list of keys that the server has drawn; a dialog closes by Escape by itself. */
export function offerHelp(page: Document): () => void {
  const dialog = page.querySelector<HTMLDialogElement>("#keys");
  return () => {
    if (dialog === null) return;
    if (dialog.open) dialog.close();
    else dialog.showModal();
  };
}
