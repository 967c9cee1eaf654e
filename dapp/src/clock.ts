/** UNIX seconds, by this browser's clock. */
export const now = () => Math.floor(Date.now() / 1000);
