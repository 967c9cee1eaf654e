// What this browser keeps in IndexedDB: each kind in a database of its own, of one store.
import { CoreError, known } from "./core";

export interface Place {
  database: string;
  store: string;
  make(database: IDBDatabase): void;
}

export async function within<T>(place: Place, mode: IDBTransactionMode, work: (store: IDBObjectStore) => Promise<T>): Promise<T> {
  const opening = indexedDB.open(place.database, 1);
  opening.onupgradeneeded = () => place.make(opening.result);
  const database = await settled(opening);
  try {
    const transaction = database.transaction(place.store, mode, { durability: "strict" });
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(failed(transaction.error));
    });
    // What has no room is refused when all of it is written, and not before.
    const [result] = await Promise.all([work(transaction.objectStore(place.store)), done]);
    return result;
  } finally {
    database.close();
  }
}

export function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(failed(request.error));
  });
}

/** The browser's own words are for its console. */
function failed(error: DOMException | null): CoreError {
  console.error(error?.message);
  return new CoreError(known("internal", "storage"));
}
