/** A look for the parts, as a page gives them one: colours that contrast in both themes, nothing that moves when unwanted. */
export const STYLES = `
:root { color-scheme: light dark; --text: #14181f; --muted: #566070; --page: #fff; --surface: #f5f6f8; --accent: #3650c4;
  --running: #1f5fbf; --ok: #146c3a; --warn: #855000; --error: #b3261e; --paused: #5a5796; --border: #818b9b; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e7eaf0; --muted: #9ca6b4; --page: #0c0e12; --surface: #15181e; --accent: #93a8ff;
    --running: #82b3ff; --ok: #62cf95; --warn: #efb352; --error: #ff938b; --paused: #b6b3f2; --border: #5d6878; }
}
body { margin: 0; padding: 12px; background: var(--page); color: var(--text); font: 14px/1.5 sans-serif; }
main { display: grid; gap: 10px; max-width: 900px; margin: auto; grid-template-columns: minmax(0, 1fr); }
h1 { margin: 0; font-size: 18px; }
button { font: inherit; color: inherit; background: none; border: 0; padding: 2px 4px; text-align: start; border-radius: 6px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
[data-slot=plan], [data-slot=tool-card], [data-slot=thinking], [data-slot=answer], [data-slot=timeline-viewport], [data-slot=approval], [data-slot=commands] {
  background: var(--surface); border-radius: 6px; padding: 6px 8px; }
[data-slot=plan-list] { list-style: none; margin: 0; padding: 0; }
[data-slot=plan-goal] { font-weight: 600; }
[data-slot=plan-progress], [data-slot$=facts], [data-slot=thinking-text], [data-slot=value-name] { color: var(--muted); }
[data-slot=value] { font: 12px/1.5 monospace; }
[role=progressbar], [role=meter] { padding-bottom: 4px; background: linear-gradient(var(--accent) 0 0) left bottom no-repeat;
  background-size: calc(var(--tt-part) * 100%) 3px; }
[data-slot=glyph] { color: var(--muted); }
[data-slot=glyph][data-status=running], [data-slot=glyph][data-status=live], [data-slot=thinking-indicator] { color: var(--running); }
[data-slot=glyph][data-status=completed] { color: var(--ok); }
[data-slot=glyph][data-status=failed], [data-slot=budget-limit][data-status=exceeded] { color: var(--error); }
[data-slot=budget-limit][data-status=warning], [data-slot=connection-status][data-status=reconnecting] { color: var(--warn); }
[data-slot=connection-status-retry], [data-slot=timeline-to-end] { border: 1px solid var(--border); padding: 2px 10px; }
[data-slot=approval][data-status=requested] { outline: 1px solid var(--paused); }
[data-slot=approval-comment] { font: inherit; color: inherit; background: none; border: 1px solid var(--border); border-radius: 6px;
  box-sizing: border-box; width: 100%; padding: 2px 6px; display: block; margin: 4px 0; }
[data-slot=approval-comment]::placeholder { color: var(--muted); opacity: 1; }
[data-slot=approval-options] { display: flex; flex-wrap: wrap; gap: 6px; }
[data-slot=approval-option], [data-slot^=commands-]:is(button) { border: 1px solid var(--border); padding: 2px 10px; }
[aria-disabled=true] { color: var(--muted); border-style: dashed; }
[data-slot=approval-outcome], [data-slot=approval-deadline], [data-slot=commands-status] { color: var(--muted); }
[data-slot=approval-outcome][data-status=failed], [data-slot=commands-status][data-status=refused] { color: var(--error); }
[data-slot=commands-status][data-status=overdue] { color: var(--warn); }
[data-slot=timeline-row] { padding: 2px 4px 2px calc(var(--tt-depth) * 16px + 4px); }
[data-slot=thinking-indicator] { animation: pulse 1.4s infinite alternate; }
@keyframes pulse { to { opacity: 0.4; } }
@media (prefers-reduced-motion: reduce) { * { animation: none; } }
`;
