// SPDX-License-Identifier: Apache-2.0
//
// Colours of the schema as pixels.

/** "#rrggbb" as a pixel of ImageData on a little-endian machine: 0xAABBGGRR. */
export function pixel(colour: string): number {
  const m = /^#?([0-9a-f]{6})$/i.exec(colour);
  const rgb = m ? parseInt(m[1] as string, 16) : 0x888888;
  return (0xff000000 | ((rgb & 0xff) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
}

/** Between two pixels; 'share' of the second. */
export function mix(a: number, b: number, share: number): number {
  const part = (shift: number) => {
    const x = (a >>> shift) & 0xff;
    return Math.round(x + (((b >>> shift) & 0xff) - x) * share) << shift;
  };
  return (0xff000000 | part(16) | part(8) | part(0)) >>> 0;
}

/** Black or white: what can be read on it. */
export function inkOn(colour: number): string {
  const channel = (shift: number) => {
    const c = ((colour >>> shift) & 0xff) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  const light = 0.2126 * channel(0) + 0.7152 * channel(8) + 0.0722 * channel(16);
  return light > 0.3 ? "#101418" : "#ffffff";
}
