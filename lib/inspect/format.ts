/** Numbers as people read them. */

const units = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

/** `1.53 GB`: powers of 1000, three digits. */
export function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  const decimals = power === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(decimals)} ${units[power]}`;
}

/** `40 ms`, `0.8 s`, `42 s`, `3 min 5 s`, `1 h 12 min`, `17 d 3 h`, `412 d`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 0.1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const [hours, days] = [Math.floor(whole / 3600), Math.floor(whole / 86_400)];
  if (days < 2) return `${hours} h ${Math.floor((whole % 3600) / 60)} min`;
  return days < 100 ? `${days} d ${hours % 24} h` : `${days} d`;
}
