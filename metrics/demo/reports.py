"""DATA: what people report about each service, and what the desk answers. (title, description, resolution)."""

REPORTS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "storefront": (
        (
            "Product page shows the wrong currency",
            "A customer in Zürich sees euros although francs are chosen.",
            "Cleared the customer’s region cookie; the region now follows the delivery country.",
        ),
        (
            "App closes when opening the wish list",
            "Happens on Android 15 since the last update, every time.",
            "Known defect of app version 8.4.1. Asked to update to 8.4.2.",
        ),
        (
            "Banner covers the size selector on small phones",
            "Reported by three customers with older phones.",
            "Campaign banner moved below the selector.",
        ),
        (
            "Start page very slow this morning",
            "It took about fifteen seconds from home and from the office.",
            "Two cache nodes were cold after the nightly restart; warmed them up.",
        ),
        (
            "Error page when switching the language",
            "Choosing Dutch leads to an error page, all other languages work.",
            "Missing translation file added.",
        ),
        ("Voucher field does not show on tablets", "Landscape only.", "Style corrected with release 2214."),
    ),
    "checkout": (
        (
            "Order button does nothing",
            "The basket is fine, but the last button does not react. Browser is up to date.",
            "A browser extension blocked the script. Showed the customer how to allow it.",
        ),
        (
            "Delivery date in the past",
            "For one order the promised delivery was yesterday.",
            "Time zone of the depot was wrong; corrected, order confirmed again.",
        ),
        (
            "Basket empties itself",
            "Items are gone after signing in.",
            "Merged the guest basket by hand; defect SHP-771 raised.",
        ),
        (
            "Voucher accepted but not deducted",
            "SPRING15 shows as accepted, the total stays the same.",
            "Voucher was limited to full-price items. Explained and added the text to the voucher page.",
        ),
        (
            "Cannot choose a pick-up station",
            "The map stays empty for postcode 04109.",
            "Station list reloaded from the carrier.",
        ),
        (
            "Order confirmed twice",
            "One order, two confirmations, charged once.",
            "Duplicate mail only; told the customer.",
        ),
    ),
    "payments": (
        (
            "Card declined although it works elsewhere",
            "Three attempts with two cards.",
            "The bank asks for a second factor since Monday; informed the customer.",
        ),
        (
            "Refund not arrived after ten days",
            "Return was confirmed on the 3rd.",
            "Refund had stopped at a changed account number; sent again.",
        ),
        (
            "Invoice shows the wrong VAT",
            "7 % instead of 19 % for hiking poles.",
            "Tax class of the article corrected, invoice issued again.",
        ),
        (
            "Wallet payment ends on a white page",
            "Happens in the in-app browser of a social network.",
            "Now opens in the system browser.",
        ),
        (
            "Settlement report misses a day",
            "The payout file of Tuesday is empty.",
            "File generated again after the provider delivered it late.",
        ),
    ),
    "search": (
        (
            "Searching for “rain jacket” finds only trousers",
            "Worked last week.",
            "Synonym list restored from the previous version.",
        ),
        ("Filter by size shows no results", "For all shoes.", "Index of the size attribute rebuilt."),
        (
            "New articles cannot be found",
            "Articles of this morning’s delivery are missing.",
            "Nightly index run had stopped; started again and monitored.",
        ),
        (
            "Search suggestions in the wrong language",
            "English suggestions in the Dutch shop.",
            "Language mapping corrected.",
        ),
    ),
    "catalogue": (
        (
            "Prices of the outlet not updated",
            "Should be reduced since midnight.",
            "Price import had waited for a file lock; run by hand.",
        ),
        ("Pictures missing for the new tents", "Only a grey square.", "Pictures uploaded again in the right format."),
        (
            "Article shown as available but sold out",
            "Customer care gets calls about it.",
            "Stock message of the warehouse was late; reconciled.",
        ),
        (
            "Cannot change the description of an article",
            "Saving ends with an error.",
            "The text contained a character that the old field cannot store.",
        ),
        ("Size table wrong for a brand", "Men’s and women’s tables are swapped.", "Tables swapped back."),
    ),
    "identity": (
        (
            "Cannot sign in after changing my password",
            "It says the account is locked.",
            "Unlocked; an old phone kept trying the former password.",
        ),
        (
            "Second factor not arriving",
            "No code by text message since yesterday.",
            "Number in the profile was outdated.",
        ),
        ("New colleague has no access", "Starts today in customer care.", "Groups assigned."),
        (
            "Password reset mail not arriving",
            "Tried four times.",
            "Mail was in the spam folder; asked to allow our sender.",
        ),
        (
            "Signed out every few minutes",
            "Only in the office, not at home.",
            "Office proxy changed the address on every request; rule corrected.",
        ),
    ),
    "warehouse": (
        (
            "Handheld scanner does not connect",
            "Scanner 14 in hall B.",
            "Exchanged the battery and joined it to the network again.",
        ),
        ("Label printer prints blank labels", "Packing table 6.", "Ribbon was inserted the wrong way round."),
        (
            "Picking list shows an empty shelf",
            "The article lies two shelves further.",
            "Stock count done, location corrected.",
        ),
        ("Parcel stuck in status “packed”", "Carrier has it since yesterday.", "Carrier message processed again."),
        (
            "Inventory screen very slow",
            "Takes a minute to open since the shift began.",
            "Old sessions closed, report moved to the night.",
        ),
        (
            "Return cannot be booked",
            "Order number is unknown to the system.",
            "Order was from the old shop; booked by hand.",
        ),
    ),
    "email": (
        (
            "No order confirmation received",
            "Ordered an hour ago.",
            "Address had a typing error; sent to the right one.",
        ),
        (
            "Shared inbox not reachable",
            "Customer care cannot open returns@.",
            "Permission renewed after the team was renamed.",
        ),
        ("Newsletter arrives twice", "Both to the same address.", "Duplicate subscription removed."),
        ("Mail to suppliers is returned", "“Message too large”.", "Explained the limit and set up a transfer link."),
        ("Calendar does not synchronise", "Phone shows last week.", "Account added again on the phone."),
    ),
    "cdn": (
        ("Old pictures still shown", "After the exchange of the campaign pictures.", "Cache emptied for that path."),
        (
            "Style sheet does not load from Austria",
            "Page looks like plain text.",
            "One edge location had an expired certificate; taken out by the provider.",
        ),
    ),
    "database": (
        (
            "Report on orders runs into a time-out",
            "Monthly report for finance.",
            "Query got an index; runs in four seconds.",
        ),
        (
            "Read replica is behind",
            "Customer care sees orders late.",
            "A long report blocked the replication; ended it.",
        ),
    ),
    "network": (
        ("Wireless drops in meeting room Eiger", "Every few minutes.", "Access point exchanged."),
        ("VPN does not connect from home", "Since the update this morning.", "Client profile renewed."),
        ("No network at packing table 3", "Cable looks fine.", "Switch port was disabled after a loop; enabled again."),
        ("Video calls stutter in the afternoon", "Whole second floor.", "Backup job moved out of working hours."),
        (
            "Guest network asks for a code nobody has",
            "Visitors are waiting.",
            "Told the reception where the code of the week is shown.",
        ),
    ),
    "data-platform": (
        ("Sales dashboard shows yesterday’s figures", "Should be hourly.", "Export had failed once; repeated."),
        ("Need a new column in the returns report", "Reason of return, please.", "Added and documented."),
        ("Export to the spreadsheet ends half way", "Stops at 65,000 rows.", "Switched to the newer format."),
    ),
    "hr": (
        ("Leave request cannot be sent", "Button stays grey.", "Substitute was missing; now said on the form."),
        ("Payslip of last month missing", "All other months are there.", "Uploaded by payroll a day later."),
        (
            "Please set up an account for a trainee",
            "Starts on the first of next month.",
            "Account and mailbox created.",
        ),
        ("Wrong number of leave days", "Five days of last year are missing.", "Carried over."),
        ("New laptop for a colleague in Purchasing", "The old one is six years old.", "Handed over with all programs."),
    ),
}

REQUESTS = frozenset(
    {
        "New colleague has no access",
        "Need a new column in the returns report",
        "Please set up an account for a trainee",
        "New laptop for a colleague in Purchasing",
    }
)
"""Titles that are service requests, not interruptions."""

DURING_AN_OUTAGE: dict[str, tuple[str, ...]] = {
    "storefront": ("Shop does not open", "Only an error page since a few minutes", "App shows “try again later”"),
    "checkout": (
        "Checkout shows an error page",
        "Customers cannot order",
        "Order fails with “something went wrong”",
        "Basket opens, ordering does not",
        "Error 502 after choosing the delivery",
    ),
    "payments": ("Card payments fail", "Every payment is declined", "Wallet payment ends in an error"),
    "search": ("Search finds nothing", "No results for any word", "Search runs into a time-out"),
    "catalogue": ("All articles without a price", "Product pages are empty", "Stock shows zero everywhere"),
    "identity": ("Nobody can sign in", "Sign-in page does not load", "Thrown out and cannot come back in"),
    "warehouse": ("Scanners show no orders", "Picking has stopped in both halls", "Warehouse system does not answer"),
    "email": ("No confirmations are going out", "Shared inboxes are empty", "Cannot send mail"),
    "cdn": ("Shop without pictures", "Page looks broken in several countries", "Scripts do not load"),
    "database": ("Orders cannot be saved", "Customer data does not load", "Everything in the shop is very slow"),
    "network": ("No network in the warehouse", "VPN is down for everybody", "Telephones are dead on all floors"),
    "data-platform": ("No figures since last night", "All dashboards are empty", "Exports fail"),
    "hr": ("People Portal does not open", "Cannot see any payslip", "Leave requests give an error"),
}
