"""The console: home, log-in, API keys, registration of applications."""

from __future__ import annotations

from alchemer_nb.sandbox.data.first_people import PEOPLE
from alchemer_nb.sandbox.web.pages import Page


class Home(Page):
    """The start page: what this sandbox is, and the links to all pages."""

    def get(self) -> None:
        """Show the list of pages, addresses and surveys."""
        library = self.services.state.library
        surveys = [
            (one.id, one.record["title"], one.record["status"], library.count(one.id))
            for one in library.surveys()
        ]
        self.show("home.html", surveys=surveys, people=PEOPLE, settings=self.services.settings)


class LogIn(Page):
    """The log-in page."""

    def get(self) -> None:
        """Show the form."""
        self.show("login.html", next_place=self.next_place(), people=PEOPLE, name="")

    def post(self) -> None:
        """Check name and password."""
        name = self.get_body_argument("name", "")
        password = self.get_body_argument("password", "", strip=False)
        user = self.services.state.accounts.log_in(name, password)
        if user is None:
            self.show(
                "login.html",
                401,
                next_place=self.next_place(),
                people=PEOPLE,
                name=name,
                error="This name and password do not fit.",
            )
            return
        self.log_in(user)
        self.go(self.next_place())


class LogOut(Page):
    """The page that ends the session."""

    def post(self) -> None:
        """End the session."""
        self.log_out()
        self.go("login")


class ApiAccess(Page):
    """Security > API Access: an administrator sees and makes the keys of all users."""

    def get(self) -> None:
        """Show all users and their keys."""
        if self._allowed():
            accounts = self.services.state.accounts
            rows = [(user, accounts.key(user.id)) for user in accounts.users()]
            made = self.get_argument("made", "")
            self.show(
                "api_access.html",
                rows=rows,
                without=[user for user, key in rows if key is None and user.active],
                made=made,
            )

    def post(self) -> None:
        """Make a key for the chosen user, and ask first if it replaces one that then stops working.

        invented: the words of the question.
        """
        if not self._allowed():
            return
        accounts, chosen = self.services.state.accounts, self.get_body_argument("user_id", "")
        user = next((one for one in accounts.users() if str(one.id) == chosen), None)
        if user is None:
            self.send_error(404)
            return
        key = accounts.key(user.id)
        # By the key that was shown: a page that is old does not replace a key that it never showed.
        if key is not None and self.get_body_argument("replaces", "") != key.token[-4:]:
            self.show("confirm_key.html", one=user, tail=key.token[-4:])
            return
        accounts.make_key(user.id)
        self.go(f"security/api-access?made={chosen}")

    def _allowed(self) -> bool:
        if self.current_user is None:
            self.to_log_in()
            return False
        if not self.current_user.admin:
            self.show(
                "message.html",
                403,
                title="For administrators",
                text="Only administrators see Security > API Access. Your own key, if there is "
                "one, stands under Account > Integrations > API Key.",
            )
            return False
        return True


class MyKey(Page):
    """Account > Integrations > API Key: the key that was made for this user."""

    def get(self) -> None:
        """Show the key, or say whom to ask."""
        if self.current_user is None:
            self.to_log_in()
            return
        key = self.services.state.accounts.key(self.current_user.id)
        admins = [u.email for u in self.services.state.accounts.users() if u.admin and u.active]
        self.show("my_key.html", key=key, admins=admins)


class Register(Page):
    """The form that registers an application and shows its consumer pair.

    invented: its fields. No page that was read shows them.
    """

    def get(self) -> None:
        """Show the form and the applications of this user."""
        if self.current_user is None:
            self.to_log_in()
            return
        self._show()

    def post(self) -> None:
        """Register an application."""
        if self.current_user is None:
            self.to_log_in()
            return
        title = self.get_body_argument("title", "").strip()
        description = self.get_body_argument("description", "").strip()
        if not title:
            self._show(400, error="Give the application a name: people see it when they sign in.")
            return
        self.services.state.grants.register(title[:100], description[:500], self.current_user.id)
        self.go("account/restful-register?made=yes")

    def _show(self, status: int = 200, error: str | None = None) -> None:
        found = self.services.state.grants.applications(self.current_user.id)
        made = found[-1] if found and self.get_argument("made", "") else None
        self.show(
            "register.html",
            status,
            error=error,
            made=made,
            applications=[one for one in found[::-1] if one is not made],
        )
