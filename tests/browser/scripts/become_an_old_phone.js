// Takes away what browsers have learned since ECMAScript 2019, and what old phones lack besides.
const gone = (holder, ...names) => { for (const name of names) delete holder[name]; };
gone(window, "BigInt", "WeakRef", "FinalizationRegistry", "AggregateError", "structuredClone", "Iterator");
gone(Object, "hasOwn", "groupBy");
gone(Map, "groupBy");
gone(Array, "fromAsync");
gone(Array.prototype, "at", "findLast", "findLastIndex", "toReversed", "toSorted", "toSpliced", "with");
gone(Object.getPrototypeOf(Uint8Array.prototype), "at", "findLast", "findLastIndex", "toSorted", "with");
gone(Uint8Array, "fromHex", "fromBase64");
gone(Uint8Array.prototype, "toHex", "toBase64");
gone(String.prototype, "at", "matchAll", "replaceAll", "isWellFormed", "toWellFormed");
gone(Set.prototype, "union", "intersection", "difference", "isSubsetOf", "isSupersetOf", "isDisjointFrom");
gone(Promise, "allSettled", "any", "try", "withResolvers");
gone(Intl, "Segmenter", "ListFormat");
gone(Crypto.prototype, "subtle", "randomUUID");
gone(Element.prototype, "replaceChildren");
gone(Blob.prototype, "text", "arrayBuffer", "stream");
