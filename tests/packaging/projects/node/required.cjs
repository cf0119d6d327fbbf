/** Says what comes of `require`. */

try {
  const { open } = require("tailstone");
  console.log(typeof open);
} catch (error) {
  console.log(error.code);
}
