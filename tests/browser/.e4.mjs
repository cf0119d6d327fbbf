import { launch, newProfile, removeFolder, blankPage } from "./harness.mjs";
import { serve } from "../../www/serve.mjs";
const site = await serve({ folder: new URL("../../www/", import.meta.url).pathname });
const profile = await newProfile();
const N = Number(process.argv[2] ?? 1000);
{ const ctx = await launch(profile); const page = await blankPage(ctx, site.url);
await page.evaluate(async (N) => { const db = await tailstone.open("t"); const v=new Uint8Array(100).fill(1); for (let i=0;i<N;i+=10000) await Promise.all(Array.from({length:10000},(_,j)=>db.set("k"+(i+j),v))); await db.close(); }, N); await ctx.close(); }
for (let r=0;r<3;r++){ const ctx = await launch(profile); const page = await blankPage(ctx, site.url);
 console.log(await page.evaluate(async () => { const t0=performance.now(); const out={};
  const db = await tailstone.open("t"); out.open=performance.now()-t0; await db.get("k77"); out.get=performance.now()-t0;
  for (const e of performance.getEntriesByType("resource")) if (e.startTime>t0) out[e.name.split("/").at(-1)]=[(e.startTime-t0).toFixed(1),(e.responseEnd-t0).toFixed(1)];
  await db.close(); return out; }));
 const w = await page.evaluate(async () => { const t0=performance.now(); const out={}; const w = new Worker(URL.createObjectURL(new Blob(["postMessage(1)"],{type:"text/javascript"})),{type:"module"}); await new Promise(r=>w.onmessage=r); out.emptyWorker=performance.now()-t0; const t1=performance.now(); const m = await WebAssembly.compileStreaming(fetch("./pkg/tailstone/tailstone.wasm")); out.compile=performance.now()-t1; const t2=performance.now(); const root = await navigator.storage.getDirectory(); out.root=performance.now()-t2; const t3=performance.now(); await navigator.locks.request("x", async()=>{}); out.lock=performance.now()-t3; const t4=performance.now(); await root.getDirectoryHandle("tailstone"); out.dir=performance.now()-t4; return out; }); console.log(w); await ctx.close(); }
await site.stop(); await removeFolder(profile);
