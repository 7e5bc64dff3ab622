import { type Browser, chromium } from 'playwright-core';
import { find } from './programs.fixture.ts';

/** Where Chromium is; `undefined` where it is not installed. */
export const executablePath = find('chromium');

/** What Playwright switches off on Linux: of two lists Chromium obeys the last. */
const PLAYWRIGHTS = [
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsUpgrades',
  'HttpsFirstBalancedModeAutoEnable',
  'LensOverlay',
  'MediaRouter',
  'PaintHolding',
  'ThirdPartyStoragePartitioning',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'OptimizationHints',
  'NetworkTimeServiceQuerying',
  'AimEnabled',
  'PreconnectToSearch',
];

/** Pages that the toolbar of a window is made of. Every context is a window: a page costs 0.2 s of a processor, with them 0.35. */
const TOOLBAR = ['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup', 'PreloadTopChromeWebUI'];

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  `--disable-features=${[...PLAYWRIGHTS, ...TOOLBAR]}`,
];

/** The browser of the tests; call it only where `executablePath` is one. */
export const openChromium = (...more: string[]): Promise<Browser> =>
  chromium.launch({ executablePath: executablePath as string, args: [...ARGS, ...more] });
