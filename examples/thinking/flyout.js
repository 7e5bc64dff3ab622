/** All lines of a turn: beside the main panel, which makes room; on narrow screens as a sheet over it. */
const flyout = document.querySelector('#flyout');
const list = flyout.querySelector('.lines');
// It may scroll.
list.tabIndex = 0;
const isWide = matchMedia('(width >= 900px)');

/** The chip that opened it, and gets the focus back. */
let opener;

export function openFlyout(chip, lines) {
  if (flyout.open) flyout.close();
  opener?.setAttribute('aria-expanded', 'false');
  opener = chip;
  chip.setAttribute('aria-expanded', 'true');
  list.replaceChildren();
  showLines(chip, lines);
  show();
  flyout.querySelector('button').focus();
}

export function closeFlyout() {
  flyout.close();
}

flyout.addEventListener('close', () => {
  // It may be open again, in its other shape or for another turn.
  if (flyout.open) return;
  opener.setAttribute('aria-expanded', 'false');
  opener.focus();
  opener = undefined;
});

/** What there is of them so far. */
export function showLines(chip, lines) {
  if (chip !== opener) return;
  for (const line of [...lines.values()].slice(list.children.length)) {
    const row = document.createElement('li');
    row.textContent = line;
    list.append(row);
  }
}

/** A sheet covers the panel, so that the keyboard stays in it. */
const show = () => (isWide.matches ? flyout.show() : flyout.showModal());

isWide.addEventListener('change', () => {
  if (!flyout.open) return;
  flyout.close();
  show();
});
flyout.querySelector('button').addEventListener('click', closeFlyout);
document.addEventListener('keydown', (event) => {
  // The browser closes what is modal.
  if (event.key === 'Escape' && isWide.matches) closeFlyout();
});
