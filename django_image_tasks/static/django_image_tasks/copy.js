// Copies texts: each [data-copy] button names the element that holds its text.
"use strict";

{
  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    const label = button.textContent;
    if (label === button.dataset.copied) return;
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      // Without TLS there is no clipboard: select the text, for the keyboard to copy.
      source.hidden = false;
      getSelection().selectAllChildren(source);
      return;
    }
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = label; }, 1500);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });
}
