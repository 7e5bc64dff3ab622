/** HTML's names of characters, those that people write: the rest of its 2,231 stay as they are written. */
const LATIN = // U+00A0 to U+00FF, in order.
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro ' +
  'para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil ' +
  'Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave ' +
  'Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml ' +
  'igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute ' +
  'thorn yuml';
const OTHERS =
  'amp& lt< gt> quot" apos\' hellip… ndash– mdash— lsquo‘ rsquo’ ldquo“ rdquo” sbquo‚ bdquo„ lsaquo‹ rsaquo› bull• ' +
  'trade™ euro€ larr← uarr↑ rarr→ darr↓ harr↔ lArr⇐ rArr⇒ hArr⇔ infin∞ ne≠ le≤ ge≥ asymp≈ equiv≡ minus− sum∑ prod∏ ' +
  'radic√ part∂ int∫ isin∈ forall∀ exist∃ check✓ cross✗ dagger† Dagger‡ permil‰ prime′ Prime″ ' +
  'alphaα betaβ gammaγ deltaδ epsilonε zetaζ etaη thetaθ iotaι kappaκ lambdaλ muμ nuν xiξ piπ rhoρ sigmaσ tauτ phiφ ' +
  'chiχ psiψ omegaω GammaΓ DeltaΔ ThetaΘ LambdaΛ XiΞ PiΠ SigmaΣ PhiΦ PsiΨ OmegaΩ';

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ...LATIN.split(' ').map((name, i) => [name, String.fromCharCode(0xa0 + i)] as const),
  ...OTHERS.split(' ').map((it) => [it.slice(0, -1), it.slice(-1)] as const),
]);

/** The character that `&name;` stands for; `false` for a name that is not known. In place of a package of this name. */
export const decodeNamedCharacterReference = (name: string): string | false => ENTITIES.get(name) ?? false;
