/** What browsers are to hold the console to, whatever an agent wrote that is shown in it. */

/**
 * Nothing but the console's own files and its own server. Without inline scripts, text that gets into the page runs
 * nothing; without form actions and other origins, it sends nothing; with Trusted Types, no sink that makes markup of
 * text can be reached.
 */
const CONTENT = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
];

/** It needs none of them. Copying to the clipboard, which a click allows, stays. */
const OFF = [
  ...['accelerometer', 'autoplay', 'camera', 'clipboard-read', 'display-capture', 'encrypted-media'],
  ...['fullscreen', 'geolocation', 'gyroscope', 'hid', 'idle-detection', 'local-fonts', 'magnetometer', 'microphone'],
  ...['midi', 'payment', 'picture-in-picture', 'publickey-credentials-get', 'screen-wake-lock', 'serial', 'usb'],
  ...['xr-spatial-tracking'],
];

/** Headers of every file of the console: a picture that is opened by itself is a page, too. */
export const POLICY: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT.join('; '),
  'permissions-policy': OFF.map((it) => `${it}=()`).join(', '),
  // Addresses name runs.
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
};
