/** Counts the visits to the page in a store that it is given, and writes the count and the store's place on the page. */

export async function countVisits(open, keyval) {
  const { dataset } = document.documentElement;
  try {
    const db = await open("visits", { durability: "strict" });
    const before = await db.get("count");
    const count = before === undefined ? 1 : Number(new TextDecoder().decode(before)) + 1;
    await db.set("count", new TextEncoder().encode(`${count}`));
    const { backend } = db;
    await db.close();
    if (keyval !== undefined) {
      const beside = (await keyval.get("count")) ?? 0;
      if (beside !== count - 1) throw new Error(`keyval counted ${beside} visits before the one numbered ${count}`);
      await keyval.set("count", count);
    }
    dataset.backend = backend;
    dataset.count = `${count}`;
  } catch (error) {
    dataset.error = `${error?.stack ?? error}`;
  }
}
