// Whoever closed the overview finds it closed next time. On a phone it is closed at first.
"use strict";

{
  const KEY = "django_image_tasks.overview";
  const overview = document.querySelector(".task-dashboard");

  if (overview) {
    const isPhone = matchMedia("(max-width: 767px)").matches;
    overview.open = (localStorage.getItem(KEY) ?? (isPhone ? "closed" : "open")) === "open";
    // Not on "toggle", which also tells of the line above.
    overview.querySelector("summary").addEventListener("click", () => {
      localStorage.setItem(KEY, overview.open ? "closed" : "open");
    });
  }
}
