// Tells where no answer comes while one types; without it, the page works by its buttons.
const trouble = document.getElementById("trouble");
for (const name of ["htmx:responseError", "htmx:sendError"]) {
  document.body.addEventListener(name, () => { trouble.hidden = false; });
}
document.body.addEventListener("htmx:afterSwap", () => { trouble.hidden = true; });
